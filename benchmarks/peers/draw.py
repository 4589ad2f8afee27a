"""Pictures as SVG: `python -m benchmarks.peers.draw FOLDER`. The input is JSON, made by benchmarks/kit/pictures.py.

The same input gives the same bytes. Nothing is painted behind, and every colour can be told from white and from black,
so that a page may be light or dark. Text stays text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

INK, GRID, NEUTRAL = "#7d7d7d", "#7d7d7d55", "#8a8a8a"
MET, MISSED = "#2f9e50", "#dd5544"
COLOURS = ("#2b83e8", "#d9741f", "#a566d6")
WIDTH = 8.5
"""Inches. A picture is as high as what it holds."""
STYLE = {
    "svg.hashsalt": "kairos",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 10,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def lines(shown: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(WIDTH, 4), layout="constrained")
    axes = figure.add_subplot(title=shown["title"], xlabel=shown["x"], ylabel=shown["y"], xscale="log", yscale="log")
    name, level = shown["level"]
    axes.axhline(level, color=NEUTRAL, label=name)
    for line, colour in zip(shown["lines"], COLOURS, strict=False):
        axes.plot(*zip(*line["measured"], strict=True), "-o", color=colour, label=line["name"])
        if drawn_out := line["drawn_out"]:
            points = [line["measured"][-1], *drawn_out]
            axes.plot(*zip(*points, strict=True), "--", color=colour)
            points = zip(*drawn_out, strict=True)
            axes.plot(*points, "o", color=colour, markerfacecolor="none", label=f"{line['name']}, drawn out")
    for axis in (axes.xaxis, axes.yaxis):
        plain(axis, (1,))
    axes.grid(visible=True)
    axes.legend(loc="lower left")
    return figure


def bars(shown: dict[str, Any]) -> Figure:
    """A line of text above each bar, because names are long; the goal is a stroke across."""
    rows, about_one = shown["bars"], shown["about_one"]
    figure = Figure(figsize=(WIDTH, 1 + 0.36 * len(rows)), layout="constrained")
    axes = figure.add_subplot(title=shown["title"], xlabel=shown["x"], ylim=(len(rows), -0.6), yticks=[])
    axes.spines["left"].set_visible(False)
    start = 1 if about_one else 0
    if about_one:
        axes.set_xscale("log")
        plain(axes.xaxis, (1, 2, 5))
        axes.axvline(1, color=INK, linewidth=1)
    for y, row in enumerate(rows):
        colour = NEUTRAL if row["met"] is None else MET if row["met"] else MISSED
        axes.barh(y + 0.2, row["value"] - start, left=start, height=0.4, color=colour)
        if row["goal"] is not None and not about_one:
            axes.vlines(row["goal"], y - 0.08, y + 0.48, color=INK, linewidth=2)
        text = f"{row['name']}:  {row['says']}"
        axes.text(0, y - 0.05, text, transform=axes.get_yaxis_transform(), fontsize=8, va="bottom")
    axes.grid(visible=True, axis="x")
    return figure


def plain(axis: Axis, steps: tuple[int, ...]) -> None:
    """Of a logarithmic axis: numbers as they are, at these steps of each power of ten."""
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


def main(folder: Path) -> None:
    mpl.rcParams.update(STYLE)
    kinds = {"lines": lines, "bars": bars}
    for name, shown in json.load(sys.stdin).items():
        figure = kinds[shown["type"]](shown)
        figure.savefig(folder / f"{name}.svg", transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
