#!/usr/bin/env python3
"""Size and number: 64 clones of 100 MB at once, a push and a clone of 1 GiB, with the proxy's memory measured.

BREAKWATER_SCALE (0 to 1, default 1) makes it smaller where time or disk is short. Python's standard library only.
"""

import os
import shutil
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from git import Git, make_repository  # noqa: E402
from servers import Origin  # noqa: E402
from support import Proxy  # noqa: E402

SCALE = float(os.environ.get("BREAKWATER_SCALE", "1"))
MIB = 1024 * 1024
RESIDENT_KIB_MAX = 64 * 1024
SECONDS_MAX = 900


def resident_peak_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the kernel tells no VmHWM")


class Large(unittest.TestCase):
    def setUp(self):
        self.git = self.enterContext(Git())
        # Random bytes neither compress nor make deltas: don't let git try.
        with open(self.git.folder / "config", "a", encoding="utf-8") as config:
            config.write("[core]\n\tcompression = 0\n\tbigFileThreshold = 1m\n[pack]\n\tthreads = 1\n\twindow = 0\n"
                         "\tcompression = 0\n[http]\n\tpostBuffer = 1m\n")
        self.server = self.enterContext(Origin())

    def make_repository(self, **size):
        make_repository(self.git, self.server, **size)
        # The same for the server's git: its time is not what is tested.
        bare = self.server.root / "team/app.git"
        for key, value in (("core.compression", 0), ("pack.compression", 0), ("pack.window", 0), ("pack.threads", 1),
                           ("core.bigFileThreshold", "1m"), ("receive.unpackLimit", 1)):
            self.git.run("config", key, value, cwd=bare)

    def start(self, **options):
        self.proxy = self.enterContext(Proxy([self.server], **options))
        return f"http://127.0.0.1:{self.proxy.port}/team/app.git"

    def test_many_clones_at_once(self):
        self.make_repository(commits=10, blob_bytes=int(10 * MIB * SCALE))
        url = self.start(cores=2)
        wanted = self.git.refs(self.server.root / "team/app.git")
        clones = [self.git.start("clone", "-q", "--bare", url, self.git.folder / f"clone{number}") for number in range(64)]

        def finish(number):
            output, _ = clones[number].communicate(timeout=SECONDS_MAX)
            self.assertEqual((clones[number].returncode, output), (0, ""))
            folder = self.git.folder / f"clone{number}"
            self.git.run("fsck", "--full", "--no-progress", cwd=folder, seconds=SECONDS_MAX)
            self.assertEqual(self.git.out("for-each-ref", "--format=%(objectname)%09%(refname)", cwd=folder).split("\n"),
                             [line for line in wanted.split("\n") if "HEAD" not in line and "^{}" not in line])
            shutil.rmtree(folder)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(finish, range(len(clones))))
        print(f"resident peak of the proxy on 2 cores: {resident_peak_kib(self.proxy.process.pid)} KiB")

    def test_a_push_and_a_clone_of_a_gibibyte_in_bounded_memory(self):
        self.make_repository(commits=1)
        work = self.git.folder / "work-team-app.git"
        for number in range(max(1, int(16 * SCALE))):
            (work / f"blob{number}").write_bytes(os.urandom(64 * MIB))
        self.git.run("add", ".", cwd=work, seconds=SECONDS_MAX)
        self.git.run("commit", "-q", "-m", "a gibibyte", cwd=work)
        url = self.start(cores=1)
        self.git.run("push", "-q", url, "main", cwd=work, seconds=SECONDS_MAX)
        after_push = resident_peak_kib(self.proxy.process.pid)
        shutil.rmtree(work)
        target = self.git.folder / "clone"
        self.git.run("clone", "-q", "--bare", url, target, seconds=SECONDS_MAX)
        after_clone = resident_peak_kib(self.proxy.process.pid)
        self.git.run("fsck", "--full", "--no-progress", cwd=target, seconds=SECONDS_MAX)
        self.assertEqual(self.git.out("rev-parse", "main", cwd=target), self.git.out("rev-parse", "main", cwd=self.server.root / "team/app.git"))
        print(f"resident peak of the proxy on 1 core: {after_push} KiB after the push, {after_clone} KiB after the clone")
        sizes = self.proxy.metrics()
        self.assertGreater(sizes["breakwater_bytes_from_clients_total"], 64 * MIB)
        self.assertLess(after_clone, RESIDENT_KIB_MAX)


if __name__ == "__main__":
    unittest.main()
