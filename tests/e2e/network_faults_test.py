#!/usr/bin/env python3
"""Real git through a network that fails: loss, delay, disorder, partitions that heal or stay, a server that loses its address, clocks that jump.

    client ──── edge (Breakwater) ──── east, west (real Git servers)

Each is a host of its own (network.py), MTU 1500. Whatever happens, git ends well, and then its repository is sound and has the refs of the
origin, or it says what went wrong; and the proxy is left with nothing. $BREAKWATER_TEST_SEED sets the network's dice; what packets
they fall for depends on the kernel's timing, so a seed repeats the kind of weather and not the single drop. Where networks can't be made,
the test reports itself as skipped by name (exit status 77).
Python's standard library only.
"""

import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest
from datetime import datetime
from pathlib import Path as File
from unittest import mock

sys.path.insert(0, str(File(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(File(__file__).resolve().parent))

import network  # noqa: E402
from git import Git  # noqa: E402
from network import Path  # noqa: E402
from servers import Apache, Nginx, Origin  # noqa: E402
from support import BREAKWATER, Proxy  # noqa: E402
from traffic import REPOSITORY, all_refs, import_history  # noqa: E402

if os.environ.get("BREAKWATER_TEST_NETWORK") == "netem":
    from netem import Network
else:
    from network import Network

SEED = int(os.environ.get("BREAKWATER_TEST_SEED", "1"))
SKIPPED = 77
PUSHED = "team/pushed.git"  # where pushes go that have clones beside them
SLOWER = 5 if os.environ.get("BREAKWATER_VM") else 1  # tests/vm/run says so
SECONDS_MAX = 40 * SLOWER  # for an operation to end, well or not
IN_PACK_BYTES = 300_000  # the refs have long been told, and most of the pack is still to come
# For a client whom the last packet of a connection may never reach: git itself gives up, and says so.
IMPATIENT = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=6")
HOUR_SECONDS = 3600
WRAP_SECONDS = 2**32 / 1000  # milliseconds since the start of the machine in 32 bits


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made_by = cls.enterClassContext(Git())
        cls.origin = cls.made_by.folder / "origin.git"
        import_history(cls.made_by, cls.origin)

    def setUp(self):
        self.git = self.enterContext(Git())
        self.network = self.enterContext(Network(SEED))
        self.client, self.edge, self.east, self.west = map(self.network.place, ("client", "edge", "east", "west"))
        self.everywhere(Path())
        self.network.start()
        self.behind = self.git.folder / "behind.git"
        self.git.run("init", "-q", "--bare", self.behind)
        self.git.run("fetch", "-q", self.origin, "side:side", cwd=self.behind)

    def everywhere(self, path):
        self.network.connect(self.client, self.edge, path)
        for server in (self.east, self.west):
            self.network.connect(self.edge, server, path)

    def start_server(self, kind, place):
        server = kind(host=place.address)
        for name in (REPOSITORY, PUSHED):
            shutil.copytree(self.origin, server.root / name)
        with place.entered():
            return self.enterContext(server)

    def start(self, *kinds, **options):
        """A server of each kind, in the east and in the west, and a Breakwater."""
        self.servers = [self.start_server(kind, place) for kind, place in zip(kinds, (self.east, self.west), strict=False)]
        self.start_proxy(**options)

    def start_proxy(self, tables="", **options):
        with self.edge.entered():
            self.proxy = self.enterContext(Proxy(self.servers, tables=tables, host=self.edge.address, tls=False, cores=2, **options))
        self.url = f"http://{self.edge.address}:{self.proxy.port}/{REPOSITORY}"

    def begin(self, *words, name=None):
        """git at the client, on a target of that name if it has one."""
        with self.client.entered():
            process = self.git.start(*words)
        process.target = self.git.folder / name if name else None
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def clone(self, name, *options):
        return self.begin(*options, "clone", "-q", "--bare", self.url, name, name=name)

    def fetch(self, name, *options):
        shutil.copytree(self.behind, self.git.folder / name)
        return self.begin(*options, "-C", name, "fetch", "-q", self.url, "+refs/*:refs/*", name=name)

    def is_well(self, process):
        """Whether git ended well; what it says it has was looked at then, and if it did not, it said why."""
        try:
            process.said, _ = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.fail(f"{process.args}: neither done nor an error after {SECONDS_MAX} s")
        if process.returncode != 0:
            self.assertRegex(process.said, "(?m)^(fatal|error|remote|send-pack)")
            return False
        if process.target is not None:
            self.git.fsck(process.target)
            self.assertEqual(all_refs(self.git, process.target), all_refs(self.git, self.origin))
        return True

    def assert_well(self, process):
        if not self.is_well(process):
            self.fail(f"{process.args}: {process.said}")

    def commit_to_push(self, name, file_bytes=600_000):
        """A work tree with a commit that no server has."""
        work = self.git.folder / name
        self.git.run("clone", "-q", self.origin, work)
        return work, self.git.commit(work, f"{name}.bin", os.urandom(file_bytes))

    def main_of(self, server, repository=REPOSITORY):
        self.git.fsck(server.root / repository)
        return self.git.out("rev-parse", "main", cwd=server.root / repository)

    def metrics(self):
        with self.edge.entered():
            return self.proxy.metrics()

    def wait_until(self, wanted, seconds, what):
        until = time.monotonic() + seconds
        while not wanted(found := self.metrics()):
            self.assertLess(time.monotonic(), until, f"{what}: {found}")
            time.sleep(0.05)

    def assert_nothing_is_held(self, seconds=8):
        self.wait_until(lambda now: now["breakwater_exchanges_active"] == now["breakwater_connections_open"] == now["breakwater_pipes_in_use"] == 0,
                        seconds, "something is held")

    def part(self, one, other):
        return lambda: self.network.connect(one, other, Path(parted=True))

    def heal(self):
        self.everywhere(Path())


class Weather(Faults):
    def play_all(self, kind, *options):
        """All kinds of operations at once; returns how many went well."""
        work, pushed = self.commit_to_push(f"push-{kind.name}")
        running = [self.clone(f"{kind.name}-v{version}", *options, "-c", f"protocol.version={version}") for version in (0, 2)]
        running += [self.fetch(f"{kind.name}-fetch", *options), self.begin(*options, "ls-remote", self.url),
                    self.begin(*options, "clone", "-q", "--depth", "1", self.url, f"{kind.name}-shallow"),
                    self.begin(*options, "-C", work, "push", "-q", self.url.replace(REPOSITORY, PUSHED), "HEAD:main")]
        well = [self.is_well(process) for process in running]
        if well[-1]:
            self.assertEqual(self.main_of(self.servers[0], PUSHED), pushed)
        self.assertIn(self.main_of(self.servers[0], PUSHED), (self.main_of(self.servers[0]), pushed))
        if well[-2]:
            self.git.fsck(self.git.folder / f"{kind.name}-shallow")
        return sum(well), len(well)

    def test_loss_delay_and_disorder_cost_time_and_nothing_else(self):
        self.everywhere(Path(delay_ms=2, jitter_ms=6, loss=0.01, repeats=0.01, damage=0.004))
        for kind in (Apache, Origin):
            with self.subTest(kind.name):
                self.start(kind)
                well, all_of_them = self.play_all(kind)
                self.assertEqual(well, all_of_them)
        for source, target in ((self.edge, self.client), (self.east, self.edge)):
            count = self.network.count(source, target)
            self.assertGreater(count.fewest(), 0, count)
            self.assertTrue(count.is_cut_to_mtu(), count)

    def test_a_path_that_hardly_works_gives_the_whole_or_an_error(self):
        self.start(Nginx, tables='[timeouts]\nconnect = "2s"\nadvertise = "3s"\nresponse = "3s"\nidle = "3s"\n')
        self.everywhere(Path(delay_ms=5, jitter_ms=20, loss=0.10, repeats=0.05, damage=0.03))
        well, all_of_them = self.play_all(Nginx, *IMPATIENT)
        print(f"of {all_of_them} operations with a tenth of all packets lost {well} went well", flush=True)
        self.heal()
        self.assert_well(self.clone("after"))


class Partitions(Faults):
    def test_one_that_heals_is_waited_for(self):
        self.start(Nginx)
        for name, source, target in (("server", self.east, self.edge), ("client", self.edge, self.client)):
            with self.subTest(name):
                parted = self.network.after(source, target, IN_PACK_BYTES, self.part(source, target))
                running = self.clone(f"healed-{name}")
                self.assertTrue(parted.wait(SECONDS_MAX))
                time.sleep(1.5)
                self.assertIsNone(running.poll())
                self.heal()
                self.assert_well(running)
        self.assertEqual(self.metrics()["breakwater_responses_aborted_total"], 0)

    def test_one_between_proxy_and_server_that_stays_is_an_error(self):
        for kind in (Nginx, Origin):  # without chunks and with
            with self.subTest(kind.name):
                self.heal()
                self.start(kind, tables='[timeouts]\nidle = "1s"\nconnect = "1s"\nadvertise = "1s"\n')
                parted = self.network.after(self.east, self.edge, IN_PACK_BYTES, self.part(self.east, self.edge))
                running = self.clone(f"cut-{kind.name}")
                self.assertTrue(parted.wait(SECONDS_MAX))
                self.assertFalse(self.is_well(running))
                self.assertFalse(running.target.exists())
                entry = self.proxy.wait_for_log(lambda entry: entry["phase"] == "response_body")
                self.assertEqual(entry["timeout"], "idle", entry)
                self.assert_nothing_is_held()
                self.assertFalse(self.is_well(self.clone(f"refused-{kind.name}")))  # nobody answers
                self.heal()
                self.assert_well(self.clone(f"after-{kind.name}"))

    def test_one_between_client_and_proxy_that_stays_frees_the_server(self):
        self.start(Nginx, tables='[timeouts]\nidle = "1s"\n')
        parted = self.network.after(self.edge, self.client, IN_PACK_BYTES, self.part(self.edge, self.client))
        running = self.clone("cut", *IMPATIENT)
        self.assertTrue(parted.wait(SECONDS_MAX))
        self.assert_nothing_is_held()
        self.assertFalse(self.is_well(running))
        self.heal()
        self.assert_well(self.clone("after"))

    def test_a_push_waits_for_one_that_heals(self):
        self.start(Apache)
        work, pushed = self.commit_to_push("push")
        parted = self.network.after(self.edge, self.east, IN_PACK_BYTES, self.part(self.edge, self.east))
        running = self.begin("-C", work, "push", "-q", self.url, "HEAD:main")
        self.assertTrue(parted.wait(SECONDS_MAX))
        time.sleep(1.5)
        self.heal()
        self.assert_well(running)
        self.assertEqual(self.main_of(self.servers[0]), pushed)

    def test_a_push_whose_answer_is_lost_is_an_error_and_is_sent_once(self):
        self.start(Apache, Nginx, tables='[timeouts]\nidle = "2s"\nresponse = "2s"\n')
        work, pushed = self.commit_to_push("push")
        before = self.main_of(self.servers[0])
        parted = [self.network.after(self.edge, place, 2 * IN_PACK_BYTES, lambda place=place: self.network.set(place, self.edge, Path(parted=True)))
                  for place in (self.east, self.west)]
        running = self.begin("-C", work, "push", "-q", self.url, "HEAD:main")
        self.assertFalse(self.is_well(running))
        self.assertEqual([event.is_set() for event in parted].count(True), 1, "one server had the push, and the other had none of it")
        self.proxy.wait_for_log(is_push := lambda entry: entry.get("git") == "receive-pack" and entry["bytes_in"] > IN_PACK_BYTES)
        attempts = [entry["attempts"] for entry in self.proxy.log_lines() if is_push(entry)]
        self.assertEqual(attempts, [1])
        for server in self.servers:
            self.assertIn(self.main_of(server), (before, pushed))
        self.heal()

    def test_a_server_that_loses_its_address_is_passed_over_until_it_is_back(self):
        self.start(Nginx, Apache, tables=f'probe = "tcp"\nprobe_interval = "300ms"\nprobe_fast_interval = "200ms"\nprobe_timeout = "{300 * SLOWER}ms"\n'
                                         f'[timeouts]\nidle = "{2 * SLOWER}s"\nconnect = "{500 * SLOWER}ms"\n')
        lost = self.network.after(self.east, self.edge, IN_PACK_BYTES, self.east.lose_address)
        first = [self.clone(f"first{number}") for number in range(2)]  # one of them in the east
        self.assertTrue(lost.wait(SECONDS_MAX))
        later = [self.clone(f"later{number}") for number in range(4)] + [self.fetch(f"fetched{number}") for number in range(2)]
        for process in later:
            self.assert_well(process)
        well = sum(self.is_well(process) for process in first)
        self.assertGreaterEqual(well, 1)
        self.east.get_address_back()
        name = f'breakwater_server_state{{pool="test",server="{self.servers[0].address}",state="up"}}'
        self.wait_until(lambda now: now[name] == 1, 10 * SLOWER, "the server has its address, and is not up")
        again = [self.clone(f"again{number}") for number in range(3)]
        for process in again:
            self.assert_well(process)
        self.assert_nothing_is_held()


class Clocks(Faults):
    def parted_clone(self, name):
        """One that is in its pack, and gets nothing until heal()."""
        parted = self.network.after(self.east, self.edge, IN_PACK_BYTES, self.part(self.east, self.edge))
        running = self.clone(name)
        self.assertTrue(parted.wait(SECONDS_MAX))
        return running

    def test_steps_of_the_wall_clock_end_nothing_and_prolong_nothing(self):
        compiler, folder = shutil.which("cc"), self.git.folder
        if compiler is None:
            self.skipTest("no C compiler for the clock")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "clock.so", File(__file__).parent / "shifted_clock.c"], check=True)
        (folder / "clock").write_bytes(struct.pack("q", 0))
        self.servers = [self.start_server(Nginx, self.east)]
        # A sanitizer wants to be loaded first, and can do without.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        with mock.patch.dict(os.environ, LD_PRELOAD=str(folder / "clock.so"), BREAKWATER_TEST_CLOCK=str(folder / "clock"), ASAN_OPTIONS=sanitizer):
            self.start_proxy(tables='[timeouts]\nidle = "4s"\nkeep_alive = "10s"\nresponse = "10s"\n')
        with open(folder / "clock", "r+b") as file, mmap.mmap(file.fileno(), 8) as clock:
            running = self.parted_clone("stepped")
            for hours in (1, -1, 24, -24, 0, 1) * 3:
                clock[:] = struct.pack("q", hours * HOUR_SECONDS)
                time.sleep(0.08)
            self.heal()
            self.assert_well(running)
            self.assertEqual(self.metrics()["breakwater_timeouts_total"], 0)
            entry = self.proxy.wait_for_log(lambda entry: entry.get("git") == "upload-pack" and entry["bytes_out"] > IN_PACK_BYTES)
            shift = datetime.fromisoformat(entry["time"]).timestamp() - time.time()
            self.assertAlmostEqual(shift, HOUR_SECONDS, delta=60, msg="the proxy's wall clock was not shifted")
            # Backwards, and a timeout is still as long as it says.
            clock[:] = struct.pack("q", -24 * HOUR_SECONDS)
            begun = time.monotonic()
            self.assertFalse(self.is_well(self.parted_clone("cut")))
            self.assertLess(time.monotonic() - begun, 4 + 4)
            self.heal()

    def test_the_49th_day_after_the_start_of_the_machine_is_one_like_any_other(self):
        offset = int(WRAP_SECONDS - time.monotonic()) - 3
        words = ("unshare", "--time", f"--monotonic={offset}")
        tried = subprocess.run([*words, sys.executable, "-c", "import time; print(time.monotonic())"], capture_output=True, text=True, check=False)
        if tried.returncode != 0 or float(tried.stdout) < offset:
            self.skipTest(f"no clocks of our own here: {tried.stderr.strip() or 'unshare --time did not change it'}")
        self.start(Nginx, tables='[timeouts]\nidle = "10s"\n', program=(*words, BREAKWATER))
        running = self.parted_clone("over")
        time.sleep(max(0, WRAP_SECONDS - offset - time.monotonic()) + 0.5)
        self.heal()
        self.assert_well(running)
        self.assertEqual(self.metrics()["breakwater_timeouts_total"], 0)

    def test_a_proxy_that_did_not_run_for_longer_than_its_timeouts(self):
        self.start(Nginx, tables='[timeouts]\nidle = "1s"\nkeep_alive = "1s"\nserver_idle = "1s"\n')
        stopped = self.network.after(self.east, self.edge, IN_PACK_BYTES, lambda: self.proxy.signal(signal.SIGSTOP))
        running = self.clone("stopped", *IMPATIENT)
        self.assertTrue(stopped.wait(SECONDS_MAX))
        time.sleep(2)
        self.proxy.signal(signal.SIGCONT)
        self.is_well(running)
        self.assert_well(self.clone("after"))
        self.assert_nothing_is_held()


def main():
    network.become_able()
    try:
        with Network(SEED) as tried:
            tried.place("tried")
    except unittest.SkipTest as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    return unittest.main()


if __name__ == "__main__":
    sys.exit(main())
