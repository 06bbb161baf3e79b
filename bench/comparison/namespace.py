"""A place of its own for bench/compare: a network namespace with nothing in it but a loopback interface whose settings are
stated, and a process namespace that ends with the script, whatever it started and however it ends.

Without root, a user namespace makes both possible where the kernel allows that to users.
"""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from processes import children

MARK = "BREAKWATER_COMPARE_INSIDE"
DISTRIBUTION_PYTHON = "/usr/bin/python3"  # whatever else is first in PATH: this one has the distribution's matplotlib
CONGESTION_CONTROL = "reno"  # unpaced; one that paces (bbr) doubles everyone's CPU time and hides the proxies
MTU = 65536
FILES_WANTED = 50_000

SETTINGS = {
    "net/ipv4/tcp_congestion_control": CONGESTION_CONTROL,
    # Connection churn must not run out of ports.
    "net/ipv4/ip_local_port_range": "10240 65535",
    "net/ipv4/tcp_tw_reuse": "1",
}


class Refused(Exception):
    """This machine does not let us have namespaces of our own."""


def run(*words):
    try:
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Refused(f"there is no {words[0]} here") from error
    if ran.returncode != 0:
        raise Refused(f"no namespaces of our own here: {ran.stderr.strip() or words[0]}")


def is_inside():
    return os.environ.get(MARK) == str(os.getpid())


def enter():
    """Runs this script again inside, and returns its exit status."""
    words = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        words += ["--user", "--map-current-user", "--keep-caps"]
    run(*words, "true")
    os.environ[MARK] = "1"  # the first process of a process namespace
    python = DISTRIBUTION_PYTHON if os.access(DISTRIBUTION_PYTHON, os.X_OK) else sys.executable
    outer = subprocess.Popen([*words, python, *sys.argv])

    def end(*_):  # unshare itself takes no notice
        for pid in children(outer.pid):
            os.kill(int(pid), signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from a terminal it comes to all of us
    return outer.wait()


def set_up():
    """The loopback interface, the settings, and enough file descriptors for everybody we start."""
    run("ip", "link", "set", "lo", "mtu", str(MTU), "up")
    for name, value in SETTINGS.items():
        path = Path("/proc/sys") / name
        try:
            path.write_text(value)
        except OSError as error:
            raise Refused(f"cannot set {name}: {error}") from error
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, FILES_WANTED), max(hard, FILES_WANTED)))
    except ValueError:  # only the machine's owner may go past the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
