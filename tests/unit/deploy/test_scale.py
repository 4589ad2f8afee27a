"""docs/scale.md is reckoned of what was measured last."""

from __future__ import annotations

import pytest

from tools.draw_scale import PAGE, page, row


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python tools/draw_scale.py --write"


def test_a_row_that_is_not_there_is_no_figure() -> None:
    with pytest.raises(LookupError, match="no row 'MySQL'"):
        row("deliver", "MySQL")
