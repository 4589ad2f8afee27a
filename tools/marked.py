"""A page of which a part is drawn: what stands between its two marks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path


def page_with(page: Path, begin: str, end: str, drawing: str) -> str:
    """The page with this drawing between its marks. Raises ValueError where there are none."""
    text = page.read_text()
    return f"{text[: text.index(begin) + len(begin)]}\n\n{drawing}\n{text[text.index(end) :]}"


def draw(page: Path, made: Callable[[], str], drawing: Callable[[], str]) -> None:
    """With `--write` the page is written as `made` says, else the drawing is shown."""
    if sys.argv[1:] == ["--write"]:
        page.write_text(made())
    else:
        sys.stdout.write(drawing())
