#!/usr/bin/env python3
"""The synthetic server (`stormgen origin`) by itself: real git is the judge of its repositories, and sees every fault.

usage: storm_origin_test.py PROGRAM [TEST...], where PROGRAM is stormgen. Python's standard library only.
"""

import asyncio
import hashlib
import http.client
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import certificates  # noqa: E402
from git import Git, make_repository  # noqa: E402

PROGRAM = ""
SECONDS_MAX = 30
VERSIONS = (0, 1, 2)


class Origin:
    """The program, on ports that it was given; ended by SIGTERM, and its status is checked."""

    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, "origin", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", *map(str, options)],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said = b""
        self.address = self.wait_for(rb"listening on (\S+)\n")
        control = re.search(rb"control on (\S+)\n", self.said)
        self.control = control and control[1].decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        self.process.stderr.close()

    def wait_for(self, pattern):
        until = time.monotonic() + SECONDS_MAX
        while not (found := re.search(pattern, self.said)):
            if not select.select([self.process.stderr], [], [], max(until - time.monotonic(), 0))[0]:
                raise AssertionError(f"the origin has not said {pattern}: {self.said}")
            more = os.read(self.process.stderr.fileno(), 4096)
            if not more:
                raise AssertionError(f"the origin ended: {self.said.decode()}")
            self.said += more
        return found[1].decode()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(SECONDS_MAX)
        if status != 0:
            raise AssertionError(f"the origin ended with {status}: {self.process.stderr.read().decode()}")

    def ask(self, method, target, status=200):
        connection = http.client.HTTPConnection(self.control, timeout=SECONDS_MAX)
        connection.request(method, target)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != status:
            raise AssertionError(f"{method} {target}: {answer.status} {body}")
        return json.loads(body) if body.startswith((b"{", b"[")) else body

    def fault(self, **order):
        return self.ask("PUT", "/faults?" + "&".join(f"{key}={value}" for key, value in order.items()))["order"]

    def url(self, number=0):
        return f"http://{self.address}/repository-{number}.git"

    def request(self, method, path, body=None, fields=None):
        """(status, fields, body) of a connection of its own."""
        connection = http.client.HTTPConnection(self.address, timeout=SECONDS_MAX)
        connection.request(method, path, body, fields or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content


class OriginTest(unittest.TestCase):
    options = ("--pack", "512KiB", "--refs", "40", "--repositories", "2")

    def setUp(self):
        self.git = self.enterContext(Git())
        self.origin = self.enterContext(Origin(*self.options))

    def clone(self, name, *words, number=0, check=True, version=2):
        folder = self.git.folder / name
        result = self.git.run("-c", f"protocol.version={version}", "-c", "transfer.fsckObjects=true", "clone", "-q", *words, self.origin.url(number), folder,
                              check=check)
        return folder if check else result

    def strict_fsck(self, folder):
        self.git.run("fsck", "--full", "--strict", "--no-progress", cwd=folder)

    def count(self, folder, *revisions):
        return int(self.git.out("rev-list", "--count", *revisions, cwd=folder))


class RealGit(OriginTest):
    def test_a_clone_is_whole_in_every_protocol(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                listed = self.git.out("-c", f"protocol.version={version}", "ls-remote", self.origin.url())
                folder = self.clone(f"whole{version}", "--mirror", version=version)
                self.strict_fsck(folder)
                self.assertEqual(listed.split("\n")[0].split("\t")[1], "HEAD")
                there = self.git.out("show-ref", "--dereference", cwd=folder).replace(" ", "\t")
                self.assertEqual("\n".join(line for line in listed.split("\n") if "HEAD" not in line), there)
                self.assertEqual(len(self.git.out("for-each-ref", cwd=folder).split("\n")), 40)

    def test_repositories_and_seeds_differ(self):
        tips = {self.git.out("ls-remote", self.origin.url(number), "HEAD") for number in (0, 1)}
        with Origin(*self.options, "--seed", 2) as other:
            tips.add(self.git.out("ls-remote", other.url(), "HEAD"))
        with Origin(*self.options) as again:
            tips.add(self.git.out("ls-remote", again.url(), "HEAD"))
        self.assertEqual(len(tips), 3)

    def test_the_size_is_about_what_was_asked_for(self):
        with Origin("--pack", "8MiB") as large:
            self.git.run("clone", "-q", "--bare", large.url(), self.git.folder / "large")
            self.assertAlmostEqual(large.ask("GET", "/stats")["pack_bytes"] / 2**23, 1, delta=0.1)

    def test_shallow_clones_deepen(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                folder = self.clone(f"shallow{version}", "--depth=1", number=1, version=version)
                self.assertEqual(self.count(folder, "HEAD"), 1)
                for words, commits in ((["--deepen=2"], 3), (["--depth=5"], 5), (["--unshallow"], 16)):
                    self.git.run("-c", f"protocol.version={version}", "fetch", "-q", *words, cwd=folder)
                    self.assertEqual(self.count(folder, "HEAD"), commits, words)
                self.strict_fsck(folder)

    def test_a_blobless_clone_fetches_blobs_when_they_are_needed(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                folder = self.clone(f"blobless{version}", "--filter=blob:none", "--no-checkout", version=version)
                missing = self.git.out("rev-list", "--objects", "--all", "--missing=print", cwd=folder).count("?")
                self.assertEqual(missing, 32 + 15 + 3)
                self.git.run("checkout", "-q", "main", cwd=folder)
                self.assertEqual(len(list((folder / "src").iterdir())), 32)
                missing = self.git.out("rev-list", "--objects", "--all", "--missing=print", cwd=folder).count("?")
                self.assertEqual(missing, 15)

    def test_filters_by_size_and_by_depth(self):
        folder = self.clone("limited", "--filter=blob:limit=1k", "--no-checkout")
        missing = self.git.out("rev-list", "--objects", "--all", "--missing=print", cwd=folder).count("?")
        self.assertEqual(missing, 32 + 15)
        folder = self.clone("treeless", "--filter=tree:0", "--no-checkout")
        self.git.run("checkout", "-q", "main", cwd=folder)
        self.assertEqual(len(list((folder / "src").iterdir())), 32)

    def test_a_fetch_gets_what_is_new(self):
        folders = {version: self.clone(f"grows{version}", version=version) for version in VERSIONS}
        for _ in range(2):
            tip = self.origin.ask("POST", "/advance?repository=repository-0.git&commits=3&bytes=10000")["commit"]
            for version, folder in folders.items():
                with self.subTest(version=version):
                    before = self.origin.ask("GET", "/stats")["pack_bytes"]
                    self.git.run("-c", f"protocol.version={version}", "fetch", "-q", cwd=folder)
                    self.assertEqual(self.git.out("rev-parse", "origin/main", cwd=folder), tip)
                    self.assertLess(self.origin.ask("GET", "/stats")["pack_bytes"] - before, 3 * 12_000)
                    self.strict_fsck(folder)
        self.assertEqual(self.count(folders[0], "origin/main"), 16 + 6)

    def test_how_far_upstream_moves_is_a_number_and_nothing_behind_it(self):
        for commits in ("5x", "0", "10001", "", "-1"):
            said = self.origin.ask("POST", f"/advance?repository=repository-0.git&commits={commits}", status=400)
            self.assertIn(b"from 1 to 10000", said)

    def test_one_commit_by_its_name(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                whole = self.clone(f"for-names{version}", "--bare")
                commit = self.git.out("rev-parse", "main~3", cwd=whole)
                folder = self.git.folder / f"one{version}"
                self.git.run("init", "-q", folder)
                self.git.run("-c", f"protocol.version={version}", "fetch", "-q", "--depth=1", self.origin.url(), commit, cwd=folder)
                self.assertEqual(self.count(folder, "FETCH_HEAD"), 1)
                self.strict_fsck(folder)
                unknown = self.git.run("-c", f"protocol.version={version}", "fetch", "-q", self.origin.url(), "1" * 40, cwd=folder, check=False)
                self.assertIn("not our ref", unknown.stderr)

    def test_what_is_pushed_is_cloned_elsewhere(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                work = self.clone(f"work{version}", version=version)
                branch = f"ours{version}"
                self.git.run("checkout", "-q", "-b", branch, cwd=work)
                self.git.commit(work, "src/file07", os.urandom(100_000))
                tip = self.git.commit(work, "new/deep/file", "words\n" * 1000)
                self.git.run("tag", "-a", "-m", "a tag", f"tag{version}", cwd=work)
                # A delta on a blob that only the server has makes the pack a thin one.
                self.git.run("push", "-q", "origin", branch, f"tag{version}", cwd=work)
                other = self.clone(f"other{version}", "-b", branch, version=version)
                self.assertEqual(self.git.out("rev-parse", "HEAD", cwd=other), tip)
                self.assertEqual(self.git.out("rev-parse", f"tag{version}^{{}}", cwd=other), tip)
                self.strict_fsck(other)
                self.git.run("push", "-q", "origin", f":{branch}", cwd=work)
                self.assertNotIn(branch, self.git.out("ls-remote", self.origin.url()))

    def test_a_thin_pack_with_deltas(self):
        work = self.clone("thin")
        text = "".join(f"line {number}\n" for number in range(20_000))
        self.git.commit(work, "text", text)
        self.git.run("push", "-q", "origin", "main:text", cwd=work)
        tip = self.git.commit(work, "text", text.replace("line 7777\n", "another\n"))
        before = self.origin.ask("GET", "/stats")
        self.git.run("push", "-q", "origin", "main:text", cwd=work)
        self.assertEqual(self.origin.ask("GET", "/stats")["pushes"], before["pushes"] + 1)
        other = self.clone("of-thin", "-b", "text")
        self.assertEqual(self.git.out("rev-parse", "HEAD", cwd=other), tip)
        self.strict_fsck(other)

    def test_a_push_of_something_old_is_refused(self):
        first, second = self.clone("first"), self.clone("second")
        for folder in (first, second):
            self.git.commit(folder, "mine", os.urandom(100))
        self.git.run("push", "-q", "origin", "main", cwd=first)
        refused = self.git.run("push", "origin", "main", cwd=second, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("rejected", refused.stderr)

    def test_a_dumb_clone(self):
        self.git.environment["GIT_SMART_HTTP"] = "0"
        self.strict_fsck(self.clone("dumb"))

    def test_a_password_is_asked_for(self):
        secret = self.git.folder / "secret"
        secret.write_text("open sesame\n")
        with Origin("--user", f"ada:{secret}") as origin:
            self.assertNotEqual(self.git.run("ls-remote", origin.url(), check=False).returncode, 0)
            address = f"http://ada:open%20sesame@{origin.address}/repository-0.git"
            work = self.git.folder / "asked"
            self.git.run("clone", "-q", address, work)
            self.git.commit(work, "large", os.urandom(3_000_000))  # sent in chunks, behind a probe
            self.git.run("push", "-q", "origin", "main", cwd=work)
            self.assertGreater(origin.ask("GET", "/stats")["challenges"], 2)

    def test_over_tls(self):
        with Origin("--tls", certificates.folder(), "--pack", "8MiB") as origin:
            self.git.environment["GIT_SSL_CAINFO"] = str(certificates.folder() / "localhost.crt")
            address = f"https://localhost:{origin.address.rsplit(':', 1)[1]}/repository-0.git"
            folder = self.git.folder / "secure"
            self.git.run("clone", "-q", address, folder)
            self.strict_fsck(folder)

    def test_real_repositories(self):
        with tempfile.TemporaryDirectory() as root:
            make_repository(self.git, SimpleNamespace(name="origin", root=Path(root)), commits=3)
            with Origin.__new__(Origin) as real:
                real.process = subprocess.Popen([PROGRAM, "origin", "--repos", root, "--listen", "127.0.0.1:0", "--allow-push"], stdin=subprocess.DEVNULL,
                                                stderr=subprocess.PIPE)
                real.said = b""
                folder = self.git.folder / "of-real"
                self.git.run("clone", "-q", f"http://{real.wait_for(rb'listening on (.*)' + bytes([10]))}/team/app.git", folder)
                self.strict_fsck(folder)
                self.git.commit(folder, "more", "more")
                self.git.run("push", "-q", cwd=folder)


class Faults(OriginTest):
    def fails(self, *words, number=0, version=2):
        """A clone fails, and leaves nothing that could be taken for one."""
        result = self.clone("broken", *words, number=number, check=False, version=version)
        self.assertNotEqual(result.returncode, 0)
        self.assertFalse((self.git.folder / "broken").exists())
        return result.stderr

    def only(self):
        orders = self.origin.ask("GET", "/faults")
        self.assertEqual(len(orders), 1)
        return orders[0]

    def test_each_is_an_error_to_git_in_every_protocol_and_then_over(self):
        cases = {
            "reset": ({"after": 100_000}, "curl 56|early EOF|RPC failed"),
            "truncate": ({"after": 100_000}, "early EOF|unexpected disconnect|hung up|invalid index-pack|unexpected EOF"),
            "error": ({"status": 500}, "500"),
            "busy": ({"retry_after": 7}, "503"),
            "err": ({}, "a fault on cue"),
            "sideband": ({"after": 100_000}, "a fault on cue"),
            "flip": ({}, "fatal"),
        }
        for kind, (more, words) in cases.items():
            for version in VERSIONS:
                with self.subTest(kind=kind, version=version):
                    self.origin.fault(kind=kind, count=1, **more)
                    self.assertRegex(self.fails(version=version), words)
                    self.assertEqual(self.only()["given"], 1)
                    folder = self.clone(f"fine-{kind}-{version}", version=version)  # once means once
                    self.strict_fsck(folder)
                    self.origin.ask("DELETE", "/faults")

    def test_a_fault_that_comes_late_still_breaks_the_answer(self):
        for kind in ("reset", "truncate"):
            self.origin.fault(kind=kind, after="1GiB", count=1)
            self.fails()

    def test_busy_has_a_retry_after(self):
        self.origin.fault(kind="busy", retry_after=7, on="refs")
        status, fields, _ = self.origin.request("GET", "/repository-0.git/info/refs?service=git-upload-pack")
        self.assertEqual((status, fields["Retry-After"]), (503, "7"))

    def test_a_hang_ends_with_the_client(self):
        self.origin.fault(kind="hang", after=50_000, count=1)
        self.git.environment |= {"GIT_HTTP_LOW_SPEED_LIMIT": "1000", "GIT_HTTP_LOW_SPEED_TIME": "1"}
        self.assertIn("too slow", self.fails().lower())
        self.assertEqual(self.only()["given"], 1)

    def test_slow_takes_its_time(self):
        self.origin.fault(kind="slow", rate="512KiB", count=1)
        begun = time.monotonic()
        self.strict_fsck(self.clone("slow"))
        self.assertGreater(time.monotonic() - begun, 0.8)
        self.assertEqual(self.only()["given"], 1)

    def test_stale_refs_are_those_before(self):
        old = self.git.out("ls-remote", self.origin.url(), "refs/heads/main").split("\t")[0]
        new = self.origin.ask("POST", "/advance?repository=repository-0.git")["commit"]
        self.origin.fault(kind="stale", count=2)
        for version in (0, 2):
            answer = self.git.out("-c", f"protocol.version={version}", "ls-remote", self.origin.url(), "refs/heads/main")
            self.assertEqual(answer.split("\t")[0], old)
        self.assertEqual(self.only()["given"], 2)
        self.assertEqual(self.git.out("ls-remote", self.origin.url(), "refs/heads/main").split("\t")[0], new)

    def test_as_many_flips_are_noticed_as_were_given(self):
        self.origin.fault(kind="flip", share=0.2, seed=11)
        noticed = 0
        for number in range(60):
            result = self.clone(f"dice{number}", "--bare", "--depth=1", check=False)
            noticed += result.returncode != 0
        order = self.only()
        self.assertEqual((order["matched"], order["given"]), (60, noticed))
        self.assertGreater(noticed, 3)
        self.assertLess(noticed, 30)

    def test_only_the_repository_that_is_named(self):
        self.origin.fault(kind="reset", repository="repository-1.git", after=1000)
        self.clone("other")
        self.fails(number=1)

    def test_a_push_that_fails(self):
        work = self.clone("pushing")
        self.git.commit(work, "mine", "mine")
        self.origin.fault(kind="error", on="push", count=1)
        self.assertNotEqual(self.git.run("push", "-q", cwd=work, check=False).returncode, 0)
        self.git.run("push", "-q", cwd=work)

    def test_nonsense_is_no_order(self):
        for query in ("", "kind=none", "kind=reset&share=2", "kind=reset&after=x", "kind=reset&what=1", "kind=slow&rate=0"):
            self.origin.ask("PUT", f"/faults?{query}", status=400)
        self.assertEqual(self.origin.ask("GET", "/faults"), [])


def pkt(text):
    return f"{len(text) + 4:04x}{text}".encode()


def pack_of(answer):
    """The pack of an upload-pack answer of v0 with a sideband, checked to its last byte."""
    pack, at = b"", 0
    while answer[at:at + 4] != b"0000":
        length = int(answer[at:at + 4], 16)
        if answer[at + 4:at + 5] == b"\x01":
            pack += answer[at + 5:at + length]
        at += length
    if at + 4 != len(answer) or hashlib.sha1(pack[:-20]).digest() != pack[-20:]:
        raise AssertionError("the answer is not whole")
    return pack


class RawBytes(OriginTest):
    def setUp(self):
        super().setUp()
        refs = self.git.out("ls-remote", self.origin.url(), "HEAD")
        self.tip = refs.split("\t")[0]
        self.want = pkt(f"want {self.tip} side-band-64k no-progress\n") + b"0000" + pkt("done\n")
        self.type = {"Content-Type": "application/x-git-upload-pack-request"}

    def test_a_broken_pack_is_not_taken(self):
        work = self.clone("work")
        self.git.commit(work, "mine", "mine")
        commit = self.git.out("rev-parse", "HEAD", cwd=work)
        made = subprocess.run(["git", "pack-objects", "--revs", "--stdout", "-q"], cwd=work, env=self.git.environment, check=True,
                              input=f"{commit}\n^{self.tip}\n".encode(), capture_output=True).stdout
        command = pkt(f"{self.tip} {commit} refs/heads/main\0report-status") + b"0000"
        fields = {"Content-Type": "application/x-git-receive-pack-request"}
        for at in range(0, len(made), 7):
            broken = made[:at] + bytes([made[at] ^ 4]) + made[at + 1:]
            status, _, answer = self.origin.request("POST", "/repository-0.git/git-receive-pack", command + broken, fields)
            self.assertEqual(status, 200)
            self.assertRegex(answer, rb"^....unpack (?!ok)[\s\S]*ng refs/heads/main")
        self.assertEqual(self.git.out("ls-remote", self.origin.url(), "main").split("\t")[0], self.tip)
        _, _, answer = self.origin.request("POST", "/repository-0.git/git-receive-pack", command + made, fields)
        self.assertIn(b"unpack ok", answer)
        self.assertEqual(self.git.out("ls-remote", self.origin.url(), "main").split("\t")[0], commit)

    def test_a_push_without_what_it_needs_is_not_taken(self):
        command = pkt(f"{self.tip} {'5' * 40} refs/heads/main\0report-status") + b"0000"
        pack = b"PACK\0\0\0\2\0\0\0\0"
        _, _, answer = self.origin.request("POST", "/repository-0.git/git-receive-pack", command + pack + hashlib.sha1(pack).digest(),
                                           {"Content-Type": "application/x-git-receive-pack-request"})
        self.assertIn(b"ng refs/heads/main missing", answer)

    def test_nonsense_is_answered(self):
        for body in (b"", b"x", b"0000", b"0003", b"zzzz", pkt("want x\n"), pkt("command=fetch"), pkt("command=fetch") + b"0001" + b"0000", self.want[:-3]):
            for version in (0, 2):
                status, _, _ = self.origin.request("POST", "/repository-0.git/git-upload-pack", body, self.type | {"Git-Protocol": f"version={version}"})
                self.assertEqual(status, 200)
        for path, status in (("/", 200), ("/repository-0.git", 200), ("/repository-7.git/info/refs?service=git-upload-pack", 404), ("/repository-0.git/x", 404),
                             ("/repository-0.git/info/refs?service=git-x", 403), ("/repository-0.git/objects/00/" + "0" * 38, 404)):
            self.assertEqual(self.origin.request("GET", path)[0], status, path)

    def test_chunks_and_heads_are_those_of_the_server_that_is_named(self):
        for framing, server, sizes in (("apache", "Apache/", {8000, 197, 5, 192}), ("nginx", "nginx/", {8184, 4096, 4088}), ("go", None, {32768})):
            with self.subTest(framing=framing), Origin(*self.options, "--framing", framing) as origin:
                with socket.create_connection(origin.address.split(":"), SECONDS_MAX) as client:
                    client.sendall(b"POST /repository-0.git/git-upload-pack HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-git-upload-pack-request\r\n"
                                   b"Content-Length: %d\r\n\r\n" % len(self.want) + self.want)
                    file = client.makefile("rb")
                    head = b"".join(iter(file.readline, b"\r\n")).decode()
                    self.assertEqual(re.findall("(?m)^Server: (.*?/)", head), [server] if server else [])
                    self.assertIn("Transfer-Encoding: chunked\r\n", head)
                    seen, body = [], b""
                    while (size := int(file.readline(), 16)) > 0:
                        seen.append(size)
                        body += file.read(size)
                        self.assertEqual(file.readline(), b"\r\n")
                    self.assertEqual(file.readline(), b"\r\n")
                pack_of(body[8:])  # behind NAK
                self.assertEqual(set(seen[:-1]), sizes)

    def test_a_client_of_http_1_0_reads_to_the_end_of_the_connection(self):
        with socket.create_connection(self.origin.address.split(":"), SECONDS_MAX) as client:
            client.sendall(b"POST /repository-0.git/git-upload-pack HTTP/1.0\r\nContent-Type: application/x-git-upload-pack-request\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(self.want) + self.want)
            head, body = client.makefile("rb").read().split(b"\r\n\r\n", 1)
        self.assertNotIn(b"Transfer-Encoding", head)
        pack_of(body[8:])

    def test_lfs(self):
        _, _, listed = self.origin.request("GET", "/repository-0.git/info/lfs/objects/")
        objects = json.loads(listed)
        folder = self.clone("pointers")
        pointers = [path.read_text() for path in folder.glob("asset*")]
        self.assertEqual(sorted(re.search("sha256:(.*)", text)[1] for text in pointers), sorted(each["oid"] for each in objects))
        unknown = {"oid": "0" * 64, "size": 3}
        batch = {"operation": "download", "transfers": ["basic"], "objects": objects + [unknown]}
        status, fields, answer = self.origin.request("POST", "/repository-0.git/info/lfs/objects/batch", json.dumps(batch),
                                                     {"Content-Type": "application/vnd.git-lfs+json"})
        self.assertEqual((status, fields["Content-Type"]), (200, "application/vnd.git-lfs+json"))
        offered = json.loads(answer)["objects"]
        self.assertEqual(offered[-1]["error"]["code"], 404)
        for each in offered[:-1]:
            href = each["actions"]["download"]["href"]
            self.assertTrue(href.startswith(f"http://{self.origin.address}/"), href)
            _, _, content = self.origin.request("GET", href.removeprefix(f"http://{self.origin.address}"))
            self.assertEqual((hashlib.sha256(content).hexdigest(), len(content)), (each["oid"], each["size"]))
        name = hashlib.sha256(b"mine").hexdigest()
        for content, status in ((b"mine", 200), (b"thine", 422)):
            self.assertEqual(self.origin.request("PUT", f"/repository-0.git/info/lfs/objects/{name}", content)[0], status)
        deep = "[" * 1_000_000 + "]" * 1_000_000  # more than a stack holds
        for batch in ("[]", f'{{"operation":{deep},"objects":[]}}'):
            self.assertEqual(self.origin.request("POST", "/repository-0.git/info/lfs/objects/batch", batch)[0], 422)

    def test_rate_and_compute(self):
        with Origin("--pack", "256KiB", "--rate", "512KiB/s", "--compute", "300ms") as origin:
            begun = time.monotonic()
            status, _, answer = origin.request("POST", "/repository-0.git/git-upload-pack", pkt(f"want {self.git.out('ls-remote', origin.url(), 'HEAD')[:40]} side-band-64k\n")
                                               + b"0000" + pkt("done\n"), self.type)
            self.assertEqual(status, 200)
            pack_of(answer[8:])
            self.assertGreater(time.monotonic() - begun, 0.3 + 0.4)

    def test_a_thousand_clients_at_once(self):
        clients = 1000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, clients + 200)), hard))
        request = (b"POST /repository-0.git/git-upload-pack HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-git-upload-pack-request\r\n"
                   b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(self.want) + self.want)

        async def storm():
            host, port = self.origin.address.split(":")
            streams = [await asyncio.open_connection(host, int(port)) for _ in range(clients)]
            self.assertGreaterEqual(await asyncio.to_thread(lambda: self.origin.ask("GET", "/stats")["connections_open"]), clients)
            for _, writer in streams:
                writer.write(request)
            hashes = set()

            async def finish(reader, writer):
                await reader.readuntil(b"\r\n\r\n")
                body = b""
                while (size := int(await reader.readline(), 16)) > 0:
                    body += await reader.readexactly(size)
                    await reader.readline()
                hashes.add(pack_of(body[8:])[-20:])
                writer.close()

            await asyncio.wait_for(asyncio.gather(*(finish(*stream) for stream in streams)), 4 * SECONDS_MAX)
            return hashes

        self.assertEqual(len(asyncio.run(storm())), 1)
        status = Path(f"/proc/{self.origin.process.pid}/status").read_text()
        peak_kib = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
        self.assertLess(peak_kib, 192 * 1024)  # a pack for each were half a GiB; sanitizers keep freed memory for a while


class Ending(OriginTest):
    def test_clients_that_wait_do_not_hold_it(self):
        with socket.create_connection(self.origin.address.split(":"), SECONDS_MAX) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertIn(b"200 OK", client.recv(4096))
            self.origin.end()
            self.assertEqual(client.recv(4096), b"")

    def test_an_answer_under_way_is_finished(self):
        with Origin("--pack", "256KiB", "--rate", "256KiB") as origin:
            tip = self.git.out("ls-remote", origin.url(), "HEAD")[:40]
            want = pkt(f"want {tip} side-band-64k\n") + b"0000" + pkt("done\n")
            with socket.create_connection(origin.address.split(":"), SECONDS_MAX) as client:
                client.sendall(b"POST /repository-0.git/git-upload-pack HTTP/1.0\r\nContent-Type: application/x-git-upload-pack-request\r\n"
                               b"Content-Length: %d\r\n\r\n" % len(want) + want)
                begun = client.recv(100)
                origin.process.send_signal(signal.SIGTERM)
                rest = client.makefile("rb").read()
                pack_of((begun + rest).split(b"\r\n\r\n", 1)[1][8:])
            self.assertEqual(origin.process.wait(SECONDS_MAX), 0)

    def test_a_second_signal_ends_what_hangs(self):
        self.origin.fault(kind="hang", after=0, on="refs")
        with socket.create_connection(self.origin.address.split(":"), SECONDS_MAX) as client:
            client.sendall(b"GET /repository-0.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertIn(b"200 OK", client.recv(4096))
            self.origin.process.send_signal(signal.SIGTERM)
            while True:  # the first has been heard when nobody listens any more
                try:
                    socket.create_connection(self.origin.address.split(":"), SECONDS_MAX).close()
                except OSError:
                    break
            self.origin.end()

    def test_what_can_not_be_served_is_said(self):
        for options in (("--pack", "x"), ("--what", "1"), ("--listen", "here"), ("--refs", "0"), ("--tls", "/nowhere"), ("--framing", "iis")):
            ran = subprocess.run([PROGRAM, "origin", *options], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
            self.assertNotEqual(ran.returncode, 0, options)
            self.assertNotEqual(ran.stderr, "", options)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
