"""What each activity brought, as one SVG picture that stands alone: for a README, a slide, a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from kairos.apps.page.effects import Row, scale_of
from kairos.apps.page.numbers import count, span
from kairos.apps.page.page import Section, latest_lifts
from kairos.apps.page.verdict import LABELS, is_rate, size

WIDTH, LINE, TOP, LEFT, RIGHT = 880, 34, 64, 250, 620
STYLE = """
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b2330; }
.soft { fill: #5c6778; font-size: 12px; } .head { font-size: 16px; font-weight: 600; } .name { font-weight: 600; }
.ground { fill: #ffffff; stroke: #dde2ea; } .zero { stroke: #5c6778; stroke-dasharray: 2 3; }
.open, .too_few, .unsound { stroke: #8a94a6; fill: #8a94a6; } .better { stroke: #1a8f5a; fill: #1a8f5a; }
.worse { stroke: #c93c37; fill: #c93c37; } .mark { stroke-width: 2; } .label { stroke: none; font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eaf1; } .soft { fill: #9aa5b8; } .ground { fill: #11151c; stroke: #2b3442; }
  .better { stroke: #4cc48b; fill: #4cc48b; } .worse { stroke: #f0736d; fill: #f0736d; }
}
"""


def picture(sections: Sequence[Section], title: str = "What each activity brought") -> str:
    """The effects on rates, in points of a hundred, on one scale."""
    rows = [row for _, row in sorted(latest_lifts(sections).items()) if is_rate(row)]
    scale = scale_of([row for row in rows if row["interval"] is not None])

    def x(value: float) -> float:
        clipped = min(max(value, scale[0]), scale[1])
        return round(LEFT + (RIGHT - LEFT) * (clipped - scale[0]) / (scale[1] - scale[0]), 1)

    height = TOP + LINE * len(rows) + 34
    zero, bottom = x(0), TOP + LINE * len(rows)
    drawn = [f'<line class="zero" x1="{zero}" x2="{zero}" y1="{TOP - 8}" y2="{bottom}"/>']
    for place, row in enumerate(rows):
        drawn.append(_line(row, TOP + LINE * place + LINE // 2, x))
    foot = "Users who reach the goal, with the activity minus without, in points; the bar is the 95 % interval."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>\n'
        f'<text class="head" x="20" y="32">{escape(title)}</text>\n' + "\n".join(drawn) + "\n"
        f'<text class="soft" x="20" y="{height - 14}">{foot}</text>\n</svg>\n'
    )


def _line(row: Row, y: int, x: Callable[[float], float]) -> str:
    users = f"{count(row['n_control'])} without, {count(row['n_treated'])} with"
    parts = [
        f'<text class="name" x="20" y="{y}">{escape(row["activity"])}</text>'
        f'<text class="soft" x="20" y="{y + 14}">{users}</text>'
    ]
    style, told = row["status"], LABELS[row["status"]]
    if row["interval"] is not None:
        low, high = (x(end) for end in row["interval"])
        told = f"{size(row, row['difference'])} ({span(row['interval'], lambda value: size(row, value))})"
        parts.append(
            f'<g class="mark {style}"><line x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
            f'<line x1="{low}" x2="{low}" y1="{y - 5}" y2="{y + 5}"/>'
            f'<line x1="{high}" x2="{high}" y1="{y - 5}" y2="{y + 5}"/>'
            f'<circle cx="{x(row["difference"])}" cy="{y}" r="4"/></g>'
        )
    parts.append(f'<text x="{RIGHT + 20}" y="{y}">{told}</text>')
    if row["interval"] is not None:
        parts.append(f'<text class="label {style}" x="{RIGHT + 20}" y="{y + 14}">{LABELS[style]}</text>')
    return "".join(parts)
