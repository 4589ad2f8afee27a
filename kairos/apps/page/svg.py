"""Small charts as inline SVG. Colours are classes of page.css, so that they follow dark mode and print."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

Range = tuple[float, float]
LABEL = 64  # the width of a date under a column


class Line(NamedTuple):
    """Points (x, y); `name` stands in the tooltip, `style` is a class of page.css."""

    name: str
    points: Sequence[tuple[float, float]]
    style: str = ""


def bar(share: float, style: str = "bar", label: str = "") -> str:
    """A share of the width, 0..1."""
    width = f"{100 * min(max(share, 0), 1):.2f}"
    return (
        f'<svg class="{style}" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        f'<rect class="track" width="100" height="8"/><rect class="fill" width="{width}" height="8"/></svg>'
    )


def range_of(values: Sequence[float]) -> Range:
    """Around all of these and zero, with air at both ends."""
    low, high = min(0.0, *values), max(0.0, *values)
    air = (high - low or 1.0) * 0.06
    return low - air, high + air


def interval(middle: float, ends: Sequence[float], scale: Range, style: str, label: str) -> str:
    """A dot with its interval, on a scale with its zero marked."""

    def x(value: float) -> float:
        return round(200 * (value - scale[0]) / (scale[1] - scale[0]), 2)

    low, high = (x(min(max(end, scale[0]), scale[1])) for end in ends)
    return (
        f'<svg class="interval {style}" viewBox="0 0 200 20" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>"
        f'<line class="zero" x1="{x(0)}" x2="{x(0)}" y1="0" y2="20"/>'
        f'<line class="whisker" x1="{low}" x2="{high}" y1="10" y2="10"/>'
        f'<line class="end" x1="{low}" x2="{low}" y1="6" y2="14"/>'
        f'<line class="end" x1="{high}" x2="{high}" y1="6" y2="14"/>'
        f'<circle cx="{x(middle)}" cy="10" r="4"/></svg>'
    )


def curves(lines: Sequence[Line], x_name: str) -> str:
    """Rates over days: y from 0 to the next round share above the highest."""
    spots = [point for line in lines for point in line.points]
    if not spots:
        return ""
    right = max(x for x, _ in spots) or 1
    top = next((t for t in (0.04, 0.08, 0.12, 0.2, 0.4, 0.6, 0.8) if t >= max(y for _, y in spots)), 1.0)
    width, height, left, foot = 640, 220, 44, 28

    def place(x: float, y: float) -> str:
        return f"{left + (width - left - 12) * x / right:.1f},{8 + (height - foot - 8) * (1 - y / top):.1f}"

    parts = []
    for step in range(5):
        y = top * step / 4
        _, at = place(0, y).split(",")
        parts.append(f'<line class="grid" x1="{left}" x2="{width - 12}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="tick" x="{left - 6}" y="{float(at) + 4:.1f}" text-anchor="end">{y:.0%}</text>')
    for x in sorted({x for x, _ in spots}):
        at, _ = place(x, 0).split(",")
        parts.append(f'<text class="tick" x="{at}" y="{height - 10}" text-anchor="middle">{x:g}</text>')
    for line in lines:
        path = " ".join(place(*point) for point in line.points)
        parts.append(
            f'<polyline class="curve {line.style}" points="{path}"><title>{escape(line.name)}</title></polyline>'
        )
        if line.style:
            for point in line.points:
                cx, cy = place(*point).split(",")
                tip = f"{escape(line.name)}, {x_name} {point[0]:g}: {point[1]:.1%}"
                parts.append(f'<circle class="{line.style}" cx="{cx}" cy="{cy}" r="3.5"><title>{tip}</title></circle>')
    return _chart(width, height, "".join(parts), ", ".join(line.name for line in lines))


def columns(periods: Sequence[tuple[str, Sequence[tuple[str, float]], float]]) -> str:
    """Per period: (its name, parts (class, number) stacked upwards, a number drawn downwards)."""
    if not periods:
        return ""
    up = max(sum(n for _, n in parts) for _, parts, _ in periods) or 1
    down = max(below for _, _, below in periods)
    width, height, foot = 640, 220, 22
    unit, step = (height - foot) / (up + down), width / len(periods)
    zero, drawn = up * unit, []
    for place, (name, parts, below) in enumerate(periods):
        x, y = place * step + step * 0.12, zero
        for style, number in parts:
            y -= number * unit
            drawn.append(_column(x, y, step * 0.76, number * unit, style, f"{name}: {number:,.0f} {style}"))
        drawn.append(_column(x, zero, step * 0.76, below * unit, "dormant", f"{name}: {below:,.0f} dormant"))
        if place % max(1, len(periods) // 6) == 0 and x + LABEL <= width:
            drawn.append(f'<text class="tick" x="{x:.1f}" y="{height - 6}">{escape(name)}</text>')
    axis = f'<line class="zero" x1="0" x2="{width}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
    return _chart(width, height, "".join(drawn) + axis, f"{periods[0][0]} … {periods[-1][0]}")


def _chart(width: int, height: int, drawn: str, label: str) -> str:
    return f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{drawn}</svg>'


def _column(x: float, y: float, width: float, height: float, style: str, tip: str) -> str:
    return (
        f'<rect class="part {style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"<title>{escape(tip)}</title></rect>"
    )
