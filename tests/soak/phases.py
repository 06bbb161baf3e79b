"""The phases of a soak: what goes wrong in each, and which failures that explains. Python's standard library only.

`reads` and `pushes` are the classes of failures (docs/stormgen.md) that clients may see of the two storms of a phase; none where it does not say so.
Whatever is not in there is a bug, of the proxy or of stormgen. Where answers were spoilt on cue, no more operations may fail than answers were.
"""

import signal
import time
from dataclasses import dataclass, field

# The proxy's own words where it had nobody else to ask: a 502 or 504, or 503 with Retry-After.
REFUSED = frozenset({"status", "refused"})
# An answer that had begun, and can't be finished: it ends short, visibly, or Git is told so on its band 3.
CUT = frozenset({"truncated", "sideband", "http"})


def nothing(fleet):
    return []


def rotate(fleet):
    complaints = []
    for _ in range(3):
        time.sleep(2)
        complaints += fleet.proxy.rotate()
    return complaints


def drain(fleet):
    """An operator takes one server after the other out, and back."""
    for pool, servers in (("synthetic", fleet.synthetic), ("real", fleet.real)):
        for server in servers:
            fleet.proxy.set_state(pool, server, "drain")
            time.sleep(2)
            fleet.proxy.set_state(pool, server, "ready")
    return []


def restart(fleet, number, servers, pause_seconds):
    for server in servers:
        time.sleep(1)
        server.stop(number)
        time.sleep(pause_seconds)
        server.start()
        time.sleep(1.5)
    return []


def restart_in_order(fleet):
    return restart(fleet, signal.SIGTERM, (fleet.synthetic[0], fleet.real[0], fleet.synthetic[1], fleet.real[1]), 0)


def kill(fleet):
    """As machines go that lose their power, and are back two seconds later."""
    return restart(fleet, signal.SIGKILL, (fleet.synthetic[0], fleet.real[1]), 2)


@dataclass(frozen=True)
class Phase:
    name: str
    faults: tuple = ()
    reads: frozenset = frozenset()
    pushes: frozenset = frozenset()
    during: object = nothing
    secure: bool = False
    settings: tuple = field(default=())  # lines of the reads' scenario


# The first one: everybody is slow, so that as many are there at a time as never again, and what grows with that is not taken for a leak later.
CROWD = Phase("crowd", settings=("slow_percent = 100", 'slow_download = "64KiB"'))
QUIET = Phase("quiet")
QUIET_TLS = Phase("quiet over TLS", secure=True)

FAULTY = (
    Phase("slow", ("kind=slow&share=0.2&rate=128KiB",)),
    Phase("reset", ("kind=reset&share=0.06", "kind=reset&on=refs&share=0.02"), REFUSED | CUT),
    Phase("hang", ("kind=hang&share=0.04",), REFUSED | CUT),
    Phase("error", ("kind=error&share=0.06&status=500",), REFUSED),
    Phase("busy", ("kind=busy&share=0.06",), REFUSED),
    Phase("truncate", ("kind=truncate&share=0.06",), REFUSED | CUT),
    Phase("err", ("kind=err&share=0.06",), REFUSED | {"error"}),
    Phase("sideband", ("kind=sideband&share=0.06",), REFUSED | {"sideband"}),
    # Nobody but the client can see it, and it must, every time: no one goes away before.
    Phase("flip", ("kind=flip&share=0.1",), frozenset({"corrupt"}), settings=("vanish_percent = 0",)),
    Phase("reset over TLS", ("kind=reset&share=0.06",), REFUSED | CUT, secure=True),
    Phase("SIGHUP", during=rotate, secure=True),
    Phase("drain", during=drain),
    Phase("restart", during=restart_in_order, reads=CUT, pushes=REFUSED | CUT),
    Phase("kill", during=kill, reads=REFUSED | CUT, pushes=REFUSED | CUT),
)


def order(dice, names):
    """The crowd, and then without end: all phases with faults in the order that the dice say, again and again, a quiet one before each two."""
    chosen = [phase for phase in FAULTY if not names or phase.name in names]
    yield CROWD
    while True:
        for number, phase in enumerate(dice.sample(chosen, len(chosen))):
            if number % 2 == 0:
                yield QUIET_TLS if number % 8 == 6 else QUIET
            yield phase


def round_length(names):
    """After so many each of them has been once."""
    faulty = sum(not names or phase.name in names for phase in FAULTY)
    return 1 + faulty + (faulty + 1) // 2


def judge(phase, reports, given):
    """What of the reports of a phase nothing explains. `given`: answers that were spoilt, by kind."""
    complaints = []
    for name, report in reports.items():
        allowed = phase.reads if name == "reads" else phase.pushes
        failures = failures_of(report)
        unexplained = {kind: count for kind, count in failures.items() if kind not in allowed}
        if unexplained:
            complaints.append(f"{name}: {unexplained} is not to be explained by {phase.name}; first words: {report['first_words']}")
        if sum(each["ended"] for each in report["operations"].values()) == 0:
            complaints.append(f"{name}: nothing has ended")
    failed = failures_of(reports["reads"])
    if phase.faults and sum(failed.values()) > sum(given.values()):
        complaints.append(f"reads: {sum(failed.values())} have failed, and only {sum(given.values())} answers were spoilt")
    if given["flip"] != failed.get("corrupt", 0):
        complaints.append(f"reads: {given['flip']} packs had a wrong bit, and {failed.get('corrupt', 0)} were found to")
    return complaints


def failures_of(report):
    found = {}
    for each in report["operations"].values():
        for kind, count in each["failures"].items():
            found[kind] = found.get(kind, 0) + count
    return found
