"""What a result has to say about where it comes from: machine, tree, versions."""

import os
import platform
import resource
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from comparison import namespace, proxies


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def distribution():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown"


def commit(root):
    """The tree that was measured, and whether it has changes that no commit has."""

    def git(*words):
        # In a user namespace the tree may seem to be somebody else's.
        ran = subprocess.run(["git", "-c", "safe.directory=*", *words], cwd=root, capture_output=True, text=True, check=False)
        return ran.stdout.strip() if ran.returncode == 0 else ""

    name = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return name + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def where(root):
    """name: value, of any measurement here."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(root),
        "kernel": platform.release(),
        "distribution": distribution(),
        "network": f"loopback of its own, MTU {namespace.MTU}, congestion control {namespace.CONGESTION_CONTROL}",
        "files": f"{resource.getrlimit(resource.RLIMIT_NOFILE)[0]:,} descriptors for each process",
    }


def storm_facts(root, contenders, seed):
    """Of bench/storm."""
    found = where(root) | {"CPU": f"{cpu_model()}, {len(os.sched_getaffinity(0))} used by all together", "seed": f"{seed}, of the order of visits"}
    for contender in contenders:
        found[contender.name] = f"{contender.version()}: {contender.what}"
    return found


def facts(root, contenders, options, seed, cpus, load_cpus):
    """name: value, in the order in which a reader wants them."""
    found = where(root) | {
        "CPU": f"{cpu_model()}, {len(cpus)} used",
        "CPUs": f"proxy on {cpus[0]}; client and servers on {', '.join(map(str, load_cpus))}",
        "method": f"{'tiny parameters, so the figures mean nothing: ' if options.quick else ''}{options.rounds} rounds of {options.seconds:g} s after {options.warm_up:g} s of warming up, seed {seed}",
    }
    found["TLS"] = f"{proxies.Breakwater.tls_library()}; of the others: {proxies.first_line('openssl', 'version')}"
    for contender in contenders:
        found[contender.name] = f"{contender.version()}: {contender.what}"
    return found
