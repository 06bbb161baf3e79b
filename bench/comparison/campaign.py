"""The course of bench/compare: who runs where, which server answers, and whose turn it is.

Within a case, each round visits every contender once, in an order of its own. A contender is started for its visit and
stopped after it, so that nothing is left over from one visit in the next.
"""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from comparison import certificates, git_servers, idle, measure, summary
from comparison.cases import IDLE
from comparison.proxies import PROXIES, Direct
from servers import Server

PACK_MIB, PACK_MIB_QUICK = 128, 2
# How often a measurement is tried if it was held up. With --quick also if it failed, on a machine that is busy with other
# tests, each time for twice as long.
ATTEMPTS_MAX = 5
# What a visit takes beside its measurement, roughly: to start, to connect, to stop.
VISIT_SECONDS_MORE = 0.2


class BenchOrigin(Server):
    """The server that costs next to nothing."""

    def __init__(self, program):
        super().__init__()
        self.program = program

    def configure(self):
        self.spawn(self.program, "--listen", f"0.0.0.0:{self.port}")


@dataclass
class Origin:
    """A running server behind the contenders."""

    address: str
    pids: list    # empty: it comes and goes in many processes, whose time is not told
    client: tuple = ()  # what bench_client is told to ask it for something


class Campaign:
    """A context manager; run(case) returns what summary.summarise() says about it."""

    def __init__(self, options, chance):
        self.options = options
        self.chance = chance
        self.stack = contextlib.ExitStack()
        self.origins = {}
        self.repository = None
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="breakwater-compare-")))
        self.cpus = sorted(os.sched_getaffinity(0))

    def __enter__(self):
        return self

    def __exit__(self, *trace):
        return self.stack.__exit__(*trace)

    def placement(self, cores):
        """CPUs of a proxy on so many cores, and of all else: others than these, up to two, unless the proxy needs all."""
        return self.cpus[:cores], self.cpus[cores:cores + 2] or self.cpus[:2]

    def origin(self, name):
        if name not in self.origins:
            if name == "bench":
                server = self.stack.enter_context(BenchOrigin(self.options.build / "bench" / "bench_origin"))
                self.origins[name] = Origin(server.address, [process.pid for process in server.processes])
            else:
                self.origins[name] = self.git_origin(name)
        return self.origins[name]

    def git_origin(self, name):
        server = git_servers.make(name)
        if self.repository is None:
            blobs = PACK_MIB_QUICK if self.options.quick else PACK_MIB
            self.repository = self.stack.enter_context(git_servers.Repository(blobs))
        self.stack.enter_context(server)
        return Origin(server.address, [], git_servers.put(self.repository, server))

    def contenders(self, case):
        """(label, class, cores) of everybody who takes part."""
        wanted = self.options.only or case.contenders
        for cores in case.cores:
            for kind in [Direct, *PROXIES]:
                if (wanted and kind.name not in wanted) or (kind.only_if_named and kind.name not in case.contenders):
                    continue
                if (kind is Direct and (case.kind == IDLE or case.tls or cores > 1)) or (kind.only_packs and case.server == "bench"):
                    continue
                label = kind.name if len(case.cores) == 1 else f"{kind.name}, {cores} core{'s' * (cores > 1)}"
                yield label, kind, cores

    def rounds(self, case):
        return min(self.options.rounds, case.rounds_max)

    def seconds(self, case):
        """About how long run(case) takes."""
        visit = (self.options.seconds + self.options.warm_up) * case.slowness + VISIT_SECONDS_MORE
        return visit * self.rounds(case) * len(list(self.contenders(case)))

    def run(self, case):
        """Raises unittest.SkipTest if this machine can't have the case at all, and others if its server does not work."""
        _, load_cpus = self.placement(1)
        os.sched_setaffinity(0, load_cpus)
        origin = self.origin(case.server)
        contenders = list(self.contenders(case))
        runs = []
        for number in range(self.rounds(case)):
            for label, kind, cores in self.chance.sample(contenders, len(contenders)):
                run = self.visit(case, origin, kind, cores, 1)
                for attempt in range(1, ATTEMPTS_MAX):
                    if "held_up" in run or (self.options.quick and summary.failure_text(run)):
                        run = self.visit(case, origin, kind, cores, 2 ** attempt if self.options.quick else 1)
                runs.append({"round": number, "contender": label} | run)
        labels = [label for label, _, _ in contenders]
        runs.sort(key=lambda run: (run["round"], labels.index(run["contender"])))
        return summary.summarise(case, labels, runs)

    def visit(self, case, origin, kind, cores, slowness):
        """One measurement, as a dict."""
        slowness *= case.slowness
        cpus, load_cpus = self.placement(cores)
        for pid in (0, *origin.pids):
            os.sched_setaffinity(pid, load_cpus)
        certificate = certificates.make(self.folder, case.tls) if case.tls else None
        contender = Direct(origin) if kind is Direct else kind(origin.address, cpus, certificate)
        options = self.options
        try:
            with contender:
                if case.kind == IDLE:
                    return idle.measure(contender, *case.idle_counts)
                return measure.load(options.build / "bench" / "bench_client", contender, case, origin.client,
                                    options.warm_up * slowness, options.seconds * slowness)
        except (measure.Failed, AssertionError, OSError) as error:
            found = {"failed": (str(error) or type(error).__name__).splitlines()[0], "failures": {}}
            return found | ({"held_up": True} if isinstance(error, measure.HeldUp) else {})
