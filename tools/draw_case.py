"""Draws the table of what becomes of a match, for ARCHITECTURE.md: `python tools/draw_case.py --write`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kairos.engine.case.table import LEADS_TO, STAGES, TABLE  # noqa: E402
from tools.marked import draw, page_with  # noqa: E402

PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- case: tools/draw_case.py -->", "<!-- /case -->"


def drawing() -> str:
    """A row for what can happen, a column for each stage; then where each thing that is done leads."""
    rows = [["", *STAGES], ["---"] * (len(STAGES) + 1)]
    rows += [[given, *(cells.get(stage, "") for stage in STAGES)] for given, cells in TABLE.items()]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    leads = [f"*{action}*: {', '.join(stages)}" for action, stages in LEADS_TO.items() if stages]
    return f"{table}\n\nWhere it leads, if the case is neither left as it is nor forgotten: {'; '.join(leads)}.\n"


def page() -> str:
    """The page with this drawing between its marks."""
    return page_with(PAGE, BEGIN, END, drawing())


if __name__ == "__main__":
    draw(PAGE, page, drawing)
