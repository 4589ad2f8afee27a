"""Tables and lines as wide as the terminal, or 80 columns where there is none. What is longer goes on below."""

from __future__ import annotations

import sys
from collections.abc import Container
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from kairos.apps.view.terminal import terminal_width

PLAIN_WIDTH = 80
"""Columns where the output is no terminal."""


def table_width() -> int:
    """What people read fits the terminal, or PLAIN_WIDTH columns in a pipe; programs ask for json or csv. Lines of one
    record each are the other kind: in a pipe they stay whole (`terminal.fitted`)."""
    return terminal_width() or PLAIN_WIDTH


def screen(file: TextIO | None = None) -> Console:
    """On standard output, or into `file`; no markup is read, and nothing is coloured by what it looks like."""
    return Console(file=file or sys.stdout, highlight=False, markup=False, width=table_width())


def table(
    *names: str, right: Container[str] = (), whole: int = 1, title: str | None = None, ruled: bool = True
) -> Table:
    """A table with these heads; `right`: those whose cells stand to the right. No cell is ever cut: it is folded.

    The first `whole` columns, which say what a row is about, are as wide as they have to be.
    """
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD if ruled else None)
    made.padding, made.pad_edge = (0, 1 if ruled else 2, 0, 0), ruled
    for place, name in enumerate(names):
        side: JustifyMethod = "right" if name in right else "left"
        made.add_column(name, justify=side, overflow="fold", no_wrap=place < whole)
    return made


def lay(console: Console, made: Table) -> None:
    """Prints a table without rules; where it would not fit, its columns stand one blank apart, and then a head of
    several words has a line for each: a word is not broken in two."""
    if _too_wide(console, made):
        made.padding = (0, 1, 0, 0)
    if _too_wide(console, made):
        for column in made.columns:
            column.header = str(column.header).replace("_", "_\n")
    console.print(made)


def _too_wide(console: Console, made: Table) -> bool:
    return console.measure(made, options=console.options.update(width=1_000)).maximum > console.width


def put(console: Console, text: str | Text, indent: int = 0, style: str = "", hang: int = 0) -> None:
    """A line, and below it what does not fit, `hang` columns further in. Words are kept whole where they can be."""
    whole = Text(text) if isinstance(text, str) else text
    if style:
        whole.stylize(style)
    first, *rest = whole.wrap(console, console.width - indent - hang) or [Text()]
    for line, left in [(first, indent), *((one, indent + hang) for one in rest)]:
        line.rstrip()
        console.print(Text(" " * left) + line, soft_wrap=True)
