"""Real Git servers behind the proxies, each with one repository that costs Git little to send, and the request of a clone.

The pack is stored ready to be sent (uncompressed random bytes, a reachability bitmap), so that the server mostly streams.
"""

import contextlib
import http.client
import os
import shutil
import subprocess
import unittest

from comparison.measure import Failed
from forges import FORGES, USER, Forge
from git import Git, own
from servers import Apache, Nginx

BLOB_BYTES = 1024 * 1024


def pkt_line(text):
    return b"%04x%s" % (len(text) + 4, text)


def clone_request(want, version):
    """The body that `git clone` of Git 2.39 sends over this version of the protocol when nobody watches its progress."""
    if version == 2:
        lines = [b"command=fetch", b"agent=git/2.39.5", b"object-format=sha1"]
        arguments = [b"thin-pack", b"no-progress", b"include-tag", b"ofs-delta", b"want %s\n" % want, b"done\n"]
        return b"".join(map(pkt_line, lines)) + b"0001" + b"".join(map(pkt_line, arguments)) + b"0000"
    capabilities = b"multi_ack_detailed no-done side-band-64k thin-pack no-progress include-tag ofs-delta agent=git/2.39.5"
    return pkt_line(b"want %s %s\n" % (want, capabilities)) + b"0000" + pkt_line(b"done\n")


class Repository:
    """A bare repository of `blobs` MiB in one pack. A context manager; .bare is its folder, .head its only commit."""

    def __init__(self, blobs):
        self.bytes = blobs * BLOB_BYTES
        self.git = Git()
        try:
            work = self.git.folder / "work"
            self.git.run("init", "-q", work)
            for number in range(blobs):
                (work / f"blob{number}").write_bytes(os.urandom(BLOB_BYTES))
            self.git.run("add", ".", cwd=work)
            self.git.run("commit", "-q", "-m", f"{blobs} MiB", cwd=work)
            self.bare = self.git.folder / "app.git"
            self.git.run("clone", "-q", "--bare", work, self.bare)
            for key, value in (("core.compression", 0), ("pack.compression", 0), ("pack.window", 0), ("pack.threads", 1)):
                self.git.run("config", key, value, cwd=self.bare)
            self.git.run("repack", "-q", "-a", "-d", "--write-bitmap-index", cwd=self.bare)
            shutil.rmtree(work)
            self.head = self.git.out("rev-parse", "HEAD", cwd=self.bare).encode()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.git.folder, ignore_errors=True)


def make(name):
    """The server of that name, not started yet."""
    return (FORGES | {"apache": Apache, "nginx": Nginx})[name]()


def find_forges(names):
    """Called where there is a network, so that make() needs none."""
    for name in names:
        if name in FORGES:
            with contextlib.suppress(unittest.SkipTest):  # make() says it again
                FORGES[name].find()


def put(repository, server):
    """Gives a started server the repository; returns what bench_client has to be told to clone it."""
    if isinstance(server, Forge):
        server.add_user()
        target = server.add_repository("app")
        shutil.rmtree(target)
        path = f"/{USER}/app.git"
    else:
        target = server.root / "app.git"
        path = "/app.git"
    subprocess.run(["cp", "-r", str(repository.bare), str(target)], check=True)
    if not isinstance(server, Forge):
        own(server)
    version = server.protocol_max if isinstance(server, Forge) else 2
    fields = {"Git-Protocol": "version=2"} if version == 2 else {}
    request = clone_request(repository.head, version)
    try_out(repository, server, f"{path}/git-upload-pack", request, fields)
    file = server.folder / "request"
    file.write_bytes(request)
    headers = [word for name, value in fields.items() for word in ("--header", f"{name}: {value}")]
    return "--path", f"{path}/git-upload-pack", "--post-file", file, *headers


def try_out(repository, server, path, request, fields):
    """Whether the answer is the pack, which the load does not look at."""
    connection = http.client.HTTPConnection(server.address, timeout=60)
    connection.request("POST", path, request, fields | {"Content-Type": "application/x-git-upload-pack-request"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200 or len(body) < repository.bytes or b"PACK" not in body[:1000]:
        raise Failed(f"{server.name} answers a clone with {answer.status} and {len(body)} bytes: {body[:60]!r}")
