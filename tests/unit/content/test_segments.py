"""How many messages one SMS is."""

from __future__ import annotations

import pytest

from kairos.engine.template.segments import segments


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 1), ("x" * 160, 1), ("x" * 161, 2), ("x" * 306, 2), ("x" * 307, 3), ("x" * 800, 6),
        ("€" * 80, 1), ("€" * 81, 2), ("é" * 160, 1), ("中" * 70, 1), ("中" * 71, 2), ("中" * 134, 2), ("中" * 135, 3),
        ("\U0001f600" * 35, 1), ("\U0001f600" * 36, 2), ("x" * 70 + "ё", 2),
    ],
)  # fmt: skip
def test_segments(text: str, number: int) -> None:
    assert segments(text) == number
