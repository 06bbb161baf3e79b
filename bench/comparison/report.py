"""How the result of bench/compare reads: tables that are good in a terminal and in docs/benchmarks/comparison.md. Pure."""

from comparison.cases import BULK, METRICS

BOUND = " (the rest of the machine was the limit)"


def number(value):
    """Three digits, which is more than a repetition would confirm."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}"


def with_range(figures):
    """A median, and its range if there were several."""
    if figures is None:
        return "-"
    if figures["least"] == figures["most"]:
        return number(figures["median"])
    return f"{number(figures['median'])} [{number(figures['least'])}..{number(figures['most'])}]"


def table(head, rows):
    """Markdown, aligned."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"

    return [line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)]


def heading(metric):
    title, unit, _ = METRICS[metric]
    return f"{title}, {unit}"


def case_lines(summary):
    """One case: what each contender came to, the comparisons, and what was counted."""
    metrics = list(summary["rows"][0]["metrics"])
    rows = [[row["contender"], *(with_range(row["metrics"][metric]) for metric in metrics)] for row in summary["rows"]]
    head = ["contender", *map(heading, metrics)]
    busy = [row["cpu_busy"] for row in summary["rows"]]
    if any(busy):
        cpus = list(dict.fromkeys(cpu for each in busy for cpu in each))
        head.append("busy, % of CPU " + " / ".join(cpus))
        for row, each in zip(rows, busy):
            row.append(" / ".join(f"{each[cpu]:.0%}".rstrip("%") for cpu in cpus) if each else "-")
    lines = [f"### {summary['name']}: {summary['title']}", "", *table(head, rows), ""]
    for entry in summary["comparisons"]:
        outcome = f" (goal {entry['goal']}: {result(entry)})" if "goal" in entry else BOUND if entry["bound"] else ""
        lines.append(f"- {entry['text']}, {heading(entry['metric'])}: {with_range(entry['figures'])}{outcome}")
    for contender, texts in summary["failed"].items():
        lines.append(f"- **not valid**: {contender}: {'; '.join(texts)}")
    if summary["disturbed"]:
        lines.append(f"- {summary['disturbed']} of {len(summary['runs'])} measurements shared the proxy's CPU with somebody else")
    return [*lines, "", *count_lines(summary)]


def count_lines(summary):
    """What was counted besides, for a GB or a request."""
    counted = [row for row in summary["rows"] if row["counts"]]
    names = list(dict.fromkeys(name for row in counted for name in row["counts"]))
    if not names:
        return []
    rows = [[row["contender"], *(number(row["counts"][name]) if name in row["counts"] else "-" for name in names)]
            for row in counted]
    return [*table([f"per {'GB' if summary['kind'] == BULK else 'request'}", *names], rows), ""]


def result(entry):
    if not entry["valid"]:
        return "not valid"
    if entry["bound"] and entry["waived"] and not entry["met"]:
        return "bound by the rest of the machine"
    return ("met" if entry["met"] else "missed") + (BOUND if entry["bound"] else "")


def goal_lines(summaries):
    rows = [[summary["name"], heading(entry["metric"]), entry["text"], with_range(entry["figures"]), entry["goal"], result(entry)]
            for summary in summaries for entry in summary["comparisons"] if "goal" in entry]
    return [*table(["case", "metric", "who", "measured", "goal", "result"], rows), ""] if rows else []


def page(facts, summaries, plots):
    """All of comparison.md."""
    lines = ["# Breakwater next to other proxies", "",
             "Written by `bench/compare`; [README.md](README.md) says what was done and how to read it.", ""]
    lines += table(["what", "which"], [[name, value] for name, value in facts.items()])
    lines += ["", *(f"![{plot.stem}]({plot.name})" for plot in plots), "", "## Goals", "", *goal_lines(summaries)]
    lines += ["## Cases", ""]
    for summary in summaries:
        lines += case_lines(summary)
    return "\n".join(lines).rstrip("\n") + "\n"
