"""Puts what is declared into docs/metrics.md: `python tools/draw_metrics.py --write`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kairos.adapters.metrics.declared import JOB, PARTS  # noqa: E402
from tools.marked import draw, page_with  # noqa: E402

PAGE = ROOT / "docs" / "metrics.md"
BEGIN, END = "<!-- metrics: tools/draw_metrics.py -->", "<!-- /metrics -->"
JOB_HEAD = """\
## The job

Served by Flink's reporter under Flink's names; the scrape configuration in
[`deploy/monitoring`](../deploy/monitoring/prometheus.yml) gives these. `what` is the counter's own name.

| metric | meaning |
|---|---|"""


def drawing() -> str:
    """A table for each part."""
    lines = []
    for part in PARTS:
        lines.append(f"## {part.title}\n\nServed by `{part.command}`.\n")
        lines.append("| metric | kind | labels | meaning |\n|---|---|---|---|")
        for metric in part.metrics:
            labels = ", ".join(f"`{label}`" for label in metric.labels)
            lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
        lines.append("")
    lines.append(JOB_HEAD)
    lines += [f'| `kairos_job_{group}_total{{what="..."}}` | {help_} |' for group, help_ in JOB.items()]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page with this drawing between its marks."""
    return page_with(PAGE, BEGIN, END, drawing())


if __name__ == "__main__":
    draw(PAGE, page, drawing)
