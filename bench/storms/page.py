"""What bench/storm writes for people: a table for each scenario and server, and where it all comes from."""

from comparison import machine, report


def seconds(microseconds):
    return f"{microseconds / 1e6:.3f}" if microseconds < 1e6 else f"{microseconds / 1e6:.1f}"


def figures(done):
    """The columns of one storm. Latencies count from the intended start."""
    everything = done["report"]["all"]
    generator = done["report"]["generator"]
    latency = everything["latency"]
    verdict = "valid" if done["report"]["valid"] else "INVALID"
    return [verdict, f"{everything['ended']:,}", f"{everything['failed']:,}", seconds(latency["p50_us"]), seconds(latency["p99_us"]),
            seconds(latency["max_us"]), f"{everything['bytes_received'] / 1e6:,.0f}", f"{done['server_cpu']:.1f}",
            f"{done['proxy_cpu']:.2f}" if done["contender"] != "direct" else "-", f"{generator['cpu_seconds']:.2f}",
            f"{done['server_cpu'] / generator['cpu_seconds']:.0f}"]


TITLES = ["contender", "run", "operations", "failed", "p50 s", "p99 s", "longest s", "MB received", "server CPU s", "proxy CPU s", "stormgen CPU s",
          "server / stormgen"]


def line(done):
    return f"{done['scenario']} on {done['server']}, {done['contender']}: " + ", ".join(
        f"{title} {value}" for title, value in zip(TITLES[1:], figures(done), strict=True))


def page(root, storms, left_out, contenders, seed, options):
    lines = ["# Storms", "", "`bench/storm` wrote this page; run it to make your own. Each storm's whole report is behind its name.", ""]
    for scenario, server in dict.fromkeys((done["scenario"], done["server"]) for done in storms):
        lines += [f"## {scenario} on {server}", ""]
        mine = [done for done in storms if (done["scenario"], done["server"]) == (scenario, server)]
        mine.sort(key=lambda done: [kind.name for kind in contenders].index(done["contender"]))
        lines += report.table(TITLES, [[f"[{done['contender']}]({done['file'].replace('.json', '.html')})", *figures(done)] for done in mine]) + [""]
    lines += ["All share the machine: server, proxy and stormgen. So latency says what the server could do with what the others left it, and the",
              "CPU columns say who took how much; the server's is what the machine was busy with besides. stormgen goes first (nice -10), so",
              "that it is not late. A run is INVALID where it was late all the same; its report says by how much.", ""]
    for what, why in left_out.items():
        lines.append(f"Left out: {what}: {why}")
    facts = machine.storm_facts(root, [kind for kind in contenders if kind.name != "direct"], seed)
    if options.quick:
        facts["method"] = "a tiny storm: the figures mean nothing"
    lines += ["", "## Where this comes from", "", *report.table(["what", "which"], [list(fact) for fact in facts.items()]), ""]
    return "\n".join(lines)
