"""Draws the result of bench/compare as SVG: bars of the medians, with the ranges. Needs matplotlib."""

from comparison.cases import METRICS

# Breakwater stands out, relatives look alike.
COLOURS = {
    "direct": "#9e9e9e", "breakwater": "#0b6e4f", "breakwater-chunked": "#57a773", "breakwater-until-close": "#9ccfa8",
    "haproxy-default": "#f2b5a0", "haproxy-splice": "#d95f30",
    "haproxy-1m": "#8c2d04", "haproxy-64k": "#b5523b", "haproxy-256k": "#7a3b2e", "haproxy-tickets": "#e0a458",
    "nginx": "#6a8fc5", "nginx-buffered": "#2f4b7c",
}
# How the names of cases begin that get a scale of their own: with a real Git server, which is slow, and over TLS.
APART = {"upload-pack-": "comparison-packs", "tls-": "comparison-tls"}
PLOTS = {
    "comparison-bulk": ["cpu_s_per_gb", "gb_per_s"],
    "comparison-packs": ["cpu_s_per_gb", "gb_per_s"],
    "comparison-requests": ["cpu_us_per_request", "requests_per_s", "p99_us"],
    "comparison-tls": ["cpu_s_per_gb", "cpu_us_per_request", "cpu_us_per_handshake", "handshakes_per_s",
                       "kib_per_connection_of_many"],
    "comparison-memory": ["kib_per_connection_of_some", "kib_per_connection_of_many"],
}


def draw(folder, summaries):
    """Writes the plots for which there are figures; returns their paths, or None without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("svg")
    # Text stays text, and the same figures give the same file.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "breakwater", "font.size": 8}
    from matplotlib import pyplot

    written = []
    for name, metrics in PLOTS.items():
        shown = [summary for summary in summaries if plot_of(summary["name"]) in (name, None) and
                 (name not in APART.values() or plot_of(summary["name"]))]
        panels = [(metric, bars) for metric in metrics if (bars := bars_of(metric, shown))]
        if not panels:
            continue
        figure, axes = pyplot.subplots(len(panels), 1, figsize=(10, 2.6 * len(panels)), squeeze=False, layout="constrained")
        for axis, (metric, bars) in zip(axes[:, 0], panels):
            panel(axis, metric, bars)
        axes[0, 0].legend(ncols=len(COLOURS), frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.1))
        path = folder / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
        # matplotlib leaves spaces at the ends of lines.
        path.write_text("".join(line.rstrip() + "\n" for line in path.read_text().splitlines()))
        written.append(path)
    return written


def plot_of(case):
    """The only plot that shows it, or None: any that has its metrics, of those that are not for others alone."""
    return next((plot for prefix, plot in APART.items() if case.startswith(prefix)), None)


def bars_of(metric, summaries):
    """case: {contender: figures}, of the cases that are about this metric."""
    found = {}
    for summary in summaries:
        bars = {row["contender"]: row["metrics"].get(metric) for row in summary["rows"] if row["contender"] in COLOURS}
        if any(bars.values()):
            found[summary["name"]] = bars
    return found


def panel(axis, metric, bars):
    title, unit, more_is_better = METRICS[metric]
    contenders = [each for each in COLOURS if any(figures.get(each) for figures in bars.values())]
    width = 0.85 / len(contenders)
    for place, contender in enumerate(contenders):
        shown = [(x, figures[contender]) for x, figures in enumerate(bars.values()) if figures.get(contender)]
        heights = [figures["median"] for _, figures in shown]
        ranges = [[figures["median"] - figures["least"] for _, figures in shown],
                  [figures["most"] - figures["median"] for _, figures in shown]]
        left = (place - (len(contenders) - 1) / 2) * width
        axis.bar([x + left for x, _ in shown], heights, width, yerr=ranges, color=COLOURS[contender], label=contender,
                 error_kw={"linewidth": 0.6})
    axis.set_title(f"{title}, {unit} ({'more' if more_is_better else 'less'} is better)", loc="left")
    axis.set_xticks(range(len(bars)), bars, rotation=20 if len(bars) > 8 else 0)
    axis.spines[["top", "right"]].set_visible(False)
