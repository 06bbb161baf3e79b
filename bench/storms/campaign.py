"""The course of bench/storm: which server answers, who stands in front of it, and what a storm cost everybody.

Everybody shares the machine, as its figures say: this shows what a storm does to a server, and what a proxy adds or takes. What a
proxy costs for each byte and request is measured by bench/compare, on a CPU of its own.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

from comparison import git_servers
from comparison.campaign import Origin
from comparison.measure import Failed, sample
from comparison.proxies import Breakwater, Direct, HAProxySplice, Nginx
from forges import USER, Forge
from git import Git, own

CONTENDERS = {each.name: each for each in (Direct, Breakwater, HAProxySplice, Nginx)}
SECONDS_MAX = 900


QUICK = "quick"


def names(root):
    return sorted(path.stem for path in (root / "loadgen" / "scenarios").glob("*.toml"))


def path_of(root, scenario):
    folder = root / "bench" / "storms" if scenario == QUICK else root / "loadgen" / "scenarios"
    return folder / f"{scenario}.toml"


def go_first():
    """What starts from here is never late for want of a CPU, if we may say so: it shares the machine with what it loads."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)


class Campaign:
    """A context manager; run() performs one scenario on one server through every contender, and yields what became of each."""

    def __init__(self, options, chance, root):
        self.options, self.chance, self.root = options, chance, root
        self.stack = contextlib.ExitStack()
        self.cpus = sorted(os.sched_getaffinity(0))
        if not options.no_write:
            options.out.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="breakwater-storm-")))
        self.git = self.stack.enter_context(Git())
        return self

    def __exit__(self, *trace):
        return self.stack.__exit__(*trace)

    def run(self, server_name, scenario, contenders):
        path = path_of(self.root, scenario)
        repositories = tomllib.loads(path.read_text())["target"]["repositories"]
        for number in range(self.options.rounds):
            for kind in self.chance.sample(contenders, len(contenders)):
                # A fresh server: pushes have changed what the last one has.
                with git_servers.make(server_name) as server:
                    prefix = self.fill(server, repositories)
                    yield self.visit(server, kind, path, scenario, prefix, number)

    def fill(self, server, repositories):
        """Every repository that the scenario names, with a history like a small project's; returns what stands before their paths."""
        if isinstance(server, Forge):
            server.add_user()
        made = None
        for repository in repositories:
            if isinstance(server, Forge):
                target = server.add_repository(Path(repository).stem)
                shutil.rmtree(target)
            else:
                target = server.root / repository.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
            if made is None:
                made = self.repository()
            subprocess.run(["cp", "-r", str(made), str(target)], check=True)
        if isinstance(server, Forge):
            return f"/{USER}"
        own(server)
        return ""

    def repository(self):
        """Made once: a bare one of 200 commits and some 6 MiB, packed, as servers have them after their housekeeping."""
        bare = self.folder / "app.git"
        if not bare.exists():
            work = self.folder / "work"
            self.git.run("init", "-q", "-b", "main", work)
            for number in range(200):
                self.git.commit(work, f"file{number % 60}", os.urandom(30_000))
            self.git.run("clone", "-q", "--bare", work, bare)
            self.git.run("config", "http.receivepack", "true", cwd=bare)
            self.git.run("repack", "-q", "-a", "-d", "--write-bitmap-index", cwd=bare)
        return bare

    def visit(self, server, kind, path, scenario, prefix, number):
        is_direct = kind is Direct
        with Direct(Origin(server.address, [])) if is_direct else kind(server.address, self.cpus) as contender:
            before = self.costs(contender)
            label = f"{scenario}-{server.name}-{kind.name}" + (f"-{number + 1}" if self.options.rounds > 1 else "")
            report = (self.folder if self.options.no_write else self.options.out) / f"{label}.json"
            report.unlink(missing_ok=True)
            words = [self.options.build / "loadgen" / "stormgen", "run", path, "--target", f"http://{contender.address}{prefix}",
                     "--json", report, "--html", report.with_suffix(".html")]
            ran = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=SECONDS_MAX, check=False, preexec_fn=go_first)
            after = self.costs(contender)
            if not report.exists():
                raise Failed(f"stormgen: {ran.stdout}{ran.stderr}")
            if not is_direct and not contender.is_running():
                raise Failed(f"{kind.name} has ended: {contender.error_text()}")
        told = json.loads(report.read_text())
        everybody, proxy = after[0] - before[0], after[1] - before[1]
        return {"scenario": scenario, "server": server.name, "contender": kind.name, "round": number, "file": report.name, "proxy_cpu": proxy,
                "server_cpu": everybody - proxy - told["generator"]["cpu_seconds"], "report": told}

    def costs(self, contender):
        """CPU seconds so far: the machine's, and the proxy's. A server's own can't be known: it does not wait for its CGI programs."""
        now = sample(contender.pids())
        return sum(now.busy.values()), sum(now.ticks.values())
