"""What lint says of a golden row, in the table's own words."""

from __future__ import annotations

from kairos.engine.rule.load import load
from tests.unit.rule.rows import Row

TODAY = 1_782_000_000_000  # 2026-06-21


def said(row: Row, base: dict[str, bytes]) -> list[str]:
    """One line a finding; the file is left out where it is that of the row's last edit."""
    loaded = load(row.apply(base), today=TODAY)
    last = row.edits[-1][0]
    return [
        f"{'' if f.file == last else f.file + ':'}{f.line}:{f.column} {f.level} {f.code}: {f.message}"
        + (f"; {f.hint}" if f.hint else "")
        for f in loaded.findings
    ]
