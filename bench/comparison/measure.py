"""One measurement: the load on one contender for a while, with what the kernel and the contender counted meanwhile.

The client and this script agree on the moments between which it is measured (CLOCK_MONOTONIC). A sample is never taken at
exactly that moment, so rates are compared: CPU seconds a second here, bytes a second there.
"""

import http.client
import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from comparison import certificates
from comparison.cases import BULK, HANDSHAKES

GB = 1e9
TICKS = os.sysconf("SC_CLK_TCK")
# Beyond what the client was told to take.
CLIENT_SECONDS_MORE_MAX = 30
# The share of a CPU from which it counts as fully used.
FULL = 0.9
# With --resume so many handshakes must have been: a connection that begins has no session to come back with.
RESUMED_MIN = 0.95

# Counters of /metrics that are told per request or per GB, where they exist.
COUNTERS = {
    "breakwater_system_calls_total": "system calls",
    "breakwater_ring_enters_total": "ring enters",
    "breakwater_ring_sqes_total": "SQEs",
    "breakwater_wake_ups_total": "wake-ups",
    "breakwater_allocations_total": "allocations",
    "breakwater_bytes_copied_total": "bytes copied in user space",
}


class Failed(Exception):
    """A measurement that says nothing."""


class HeldUp(Failed):
    """A measurement that the machine, or somebody on it, did not let happen in its time."""


@dataclass
class Sample:
    at: float
    tasks: dict     # (pid, tid): ns on a CPU, voluntary switches, involuntary ones
    ticks: dict     # pid: utime + stime of all its threads, those that ended included
    busy: dict      # CPU: seconds it did something, whoever it was


def sample(pids):
    tasks, ticks = {}, {}
    at = time.monotonic()
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            folder = Path(f"/proc/{pid}/task/{task}")
            try:
                on_cpu = int((folder / "schedstat").read_text().split()[0])
                status = (folder / "status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended; `ticks` has it
            switches = [int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line]
            tasks[pid, task] = (on_cpu, *switches)
        # The name in the second field may hold anything, so count from behind it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks[pid] = (int(fields[11]) + int(fields[12])) / TICKS
    return Sample(at, tasks, ticks, busy_seconds())


def busy_seconds():
    busy = {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *values = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, _, _, irq, softirq, steal = map(int, values[:8])
            busy[int(name[3:])] = (user + nice + system + irq + softirq + steal) / TICKS
    return busy


def rates(before, after):
    """CPU seconds, and voluntary and involuntary context switches, a second."""
    seconds = after.at - before.at
    if before.tasks.keys() <= after.tasks.keys():
        zero = (0, 0, 0)
        sums = [sum(task[i] - before.tasks.get(key, zero)[i] for key, task in after.tasks.items()) for i in range(3)]
        return sums[0] / 1e9 / seconds, sums[1] / seconds, sums[2] / seconds
    # A thread ended meanwhile and took its figures with it. The process's own are coarser, but have it.
    return sum(after.ticks[pid] - before.ticks[pid] for pid in after.ticks) / seconds, None, None


def counters(contender):
    """What the contender's own metrics say, and when."""
    port = getattr(contender, "admin_port", None)
    if port is None:
        return time.monotonic(), {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    at = time.monotonic()
    found = {}
    for line in lines:
        name = line.partition(" ")[0].partition("{")[0]
        if name in COUNTERS:
            found[name] = found.get(name, 0) + float(line.rpartition(" ")[2])
    return at, found


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def load(program, contender, case, arguments, warm_up, seconds):
    """Puts the load of `case` on `contender`; returns the metrics, and what else was seen."""
    begin = time.monotonic() + warm_up
    command = [program, "--connect", contender.address, "--connections", case.connections, "--seconds", seconds,
               "--begin-at", int(begin * 1e9), *case.client, *arguments]
    if contender.certificate:
        command += ["--tls", "--ca", contender.certificate.file, "--server-name", certificates.SERVER_NAME]
    client = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        sleep_until(begin)
        counted_before = counters(contender)
        before = sample(contender.pids())
        sleep_until(begin + seconds)
        if not contender.is_running():
            raise Failed("the proxy ended: " + contender.error_text())
        after = sample(before.ticks)
        counted_after = counters(contender)
        output, errors = client.communicate(timeout=CLIENT_SECONDS_MORE_MAX)
    finally:
        if client.poll() is None:
            client.kill()
            client.wait()
    if client.returncode != 0:
        raise Failed(errors.strip() or f"bench_client ended with {client.returncode}")
    if after.at - before.at > 1.5 * seconds + 0.5:
        raise HeldUp(f"took {after.at - before.at:.1f} s instead of {seconds:g}")
    return results(case, contender, json.loads(output), before, after, counted_before, counted_after)


def handshakes(case, told, cpu):
    """What each cost, if they were of the kind that was wanted."""
    done, resumed = told["handshakes"], told["resumed"]
    if not done:
        return {"failed": "no handshake was completed"}
    wanted = "--resume" in case.client
    if resumed < RESUMED_MIN * done if wanted else resumed:
        return {"failed": f"{resumed} of {done} handshakes were resumed"}
    return {"handshakes_per_s": done / told["seconds"], "cpu_us_per_handshake": cpu * 1e6 * told["seconds"] / done,
            "agreed": told["tls"]}


def results(case, contender, told, before, after, counted_before, counted_after):
    """What a measurement came to, by name. What makes no sense for the case is not there."""
    found = {"failures": {kind: count for kind, count in told["failures"].items() if count}}
    moved = told["sent_bytes"] + told["received_bytes"]
    if moved == 0:
        return found | {"failed": "nothing moved"}
    gb_per_s = moved / told["seconds"] / GB
    requests_per_s = told["requests"] / told["seconds"]
    found |= {"gb_per_s": gb_per_s, "requests_per_s": requests_per_s, "unfinished": told["unfinished"]}
    if told["requests"]:
        found |= {f"{name}_us": value for name, value in told["latency_us"].items()}
    seconds = after.at - before.at
    busy = {cpu: (after.busy[cpu] - before.busy[cpu]) / seconds for cpu in after.busy}
    found["cpu_busy"] = {str(cpu): share for cpu, share in busy.items()}
    if not before.tasks:
        return found
    cpu, voluntary, involuntary = rates(before, after)
    load_cpus = os.sched_getaffinity(0)
    found["bound_by_rest"] = cpu < FULL * len(contender.cpus) and max(busy[each] for each in load_cpus) >= FULL
    found["cpu"] = cpu
    found["cpu_s_per_gb"] = cpu / gb_per_s
    work_per_s = gb_per_s if case.kind == BULK else requests_per_s
    if case.kind == HANDSHAKES:
        found |= handshakes(case, told, cpu)
    if requests_per_s and cpu:
        found["cpu_us_per_request"] = cpu * 1e6 / requests_per_s
        found["capacity_per_s"] = requests_per_s / cpu * len(contender.cpus)
    # What somebody else did on the proxy's CPUs, where nobody else should be; the kernel tells it in ticks.
    if contender.cpus and load_cpus.isdisjoint(contender.cpus):
        found["disturbance"] = max(0, sum(busy[each] for each in contender.cpus) - cpu - 2 / TICKS / seconds)
    if work_per_s:
        counts = {}
        if voluntary is not None:
            counts = {"voluntary switches": voluntary / work_per_s, "involuntary switches": involuntary / work_per_s}
        seconds = counted_after[0] - counted_before[0]
        for name, what in COUNTERS.items():
            if name in counted_after[1]:
                counts[what] = (counted_after[1][name] - counted_before[1].get(name, 0)) / seconds / work_per_s
        found["counts"] = counts
    return found
