"""From single measurements to statements: medians, ranges, paired ratios, goals. Pure.

Each round visits every contender, so a ratio is taken within a round, where both met the same machine, and the median of
these is told. The best HAProxy is the configuration with the best median, chosen anew for every case and metric; so is the
best Breakwater where it takes part in several.
"""

from statistics import median

from comparison.cases import METRICS
from comparison.proxies import BREAKWATERS, HAPROXIES, Breakwater, BreakwaterGuarded

# A share of a CPU.
DISTURBANCE_MAX = 0.1
SPEEDS = {"gb_per_s", "requests_per_s", "handshakes_per_s"}


def values_of(runs, label, metric):
    """round: value, of the rounds that have one."""
    return {run["round"]: run[metric] for run in runs if run["contender"] == label and metric in run}


def spread(values):
    return {"median": median(values), "least": min(values), "most": max(values)} if values else None


def best_of(names, runs, metric):
    """The one with the best median, or None if nobody has any."""
    more_is_better = METRICS[metric][2]
    medians = {name: median(values) for name in names if (values := values_of(runs, name, metric).values())}
    if not medians:
        return None
    return (max if more_is_better else min)(medians, key=medians.get)


def paired_ratio(runs, metric, above, below):
    """The spread of above / below over the rounds that have both."""
    upper, lower = values_of(runs, above, metric), values_of(runs, below, metric)
    return spread([upper[number] / lower[number] for number in sorted(upper.keys() & lower.keys()) if lower[number]])


def is_bound(runs, label):
    """Was the rest of the machine the limit, most of the time?"""
    bound = [run["bound_by_rest"] for run in runs if run["contender"] == label and "bound_by_rest" in run]
    return 2 * sum(bound) > len(bound)


def comparisons(case, labels, runs):
    """Breakwater against the best HAProxy, two cores against one, and values that have a goal of their own."""
    found = []

    def add(metric, text, figures, goal, parties):
        """The first of the parties is the one of whom something is wanted."""
        if figures is None:
            return
        entry = {"metric": metric, "text": text, "figures": figures, "parties": parties}
        entry["bound"] = metric in SPEEDS and is_bound(runs, parties[0])
        if goal is not None:
            more_is_better = METRICS[metric][2]
            met = figures["median"] >= goal if more_is_better else figures["median"] <= goal
            waiver = " or bound" if case.may_be_bound and metric in SPEEDS else ""
            entry |= {"goal": f"{'>=' if more_is_better else '<='} {goal:g}{waiver}", "met": met, "waived": bool(waiver)}
        found.append(entry)

    for metric in case.metrics:
        own, rival = best_of(BREAKWATERS, runs, metric), best_of(HAPROXIES, runs, metric)
        if own and rival:
            add(metric, f"{own} / {rival}", paired_ratio(runs, metric, own, rival), case.ratios.get(metric), [own, rival])
    for metric in case.scaling:
        for one in labels:
            two = one.replace("1 core", "2 cores")
            if one != two:
                goal = case.scaling[metric] if one.startswith(Breakwater.name) else None
                add(metric, f"{two} / 1 core", paired_ratio(runs, metric, two, one), goal, [two, one])
    for metric, goal in case.guards.items():
        own, other = BreakwaterGuarded.name, Breakwater.name
        add(metric, f"{own} / {other}", paired_ratio(runs, metric, own, other), goal, [own, other])
    for metric, goal in case.values.items():
        own = Breakwater.name
        add(metric, own, spread(list(values_of(runs, own, metric).values())), goal, [own])
    return found


def summarise(case, labels, runs):
    """All there is to say about one case."""
    failed = {}
    for run in runs:
        if text := failure_text(run):
            failed.setdefault(run["contender"], []).append(f"round {run['round'] + 1}: {text}")
    rows = []
    for label in labels:
        own = [run for run in runs if run["contender"] == label]
        rows.append({
            "contender": label,
            "metrics": {metric: spread(list(values_of(runs, label, metric).values())) for metric in case.metrics},
            "counts": medians([run["counts"] for run in own if "counts" in run]),
            "cpu_busy": medians([run["cpu_busy"] for run in own if "cpu_busy" in run]),
        })
    compared = comparisons(case, labels, runs)
    for entry in compared:
        entry["valid"] = not any(party in failed for party in entry["parties"])
    disturbed = sum(run.get("disturbance", 0) > DISTURBANCE_MAX for run in runs)
    return {"name": case.name, "title": case.title, "kind": case.kind, "failed": failed, "disturbed": disturbed, "rows": rows,
            "comparisons": compared, "runs": runs}


def medians(dicts):
    """The median of each key over dicts that share their keys."""
    keys = dict.fromkeys(key for each in dicts for key in each)
    return {key: median(each[key] for each in dicts if key in each) for key in keys}


def failure_text(run):
    """Why a measurement says nothing; empty if it says something."""
    if "failed" in run:
        return run["failed"]
    return ", ".join(f"{count} x {kind}" for kind, count in run["failures"].items())
