"""What the commands say to people: messages that no input can forge; colours and progress on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

import typer

MAX_QUOTED = 200
"""Characters of foreign input that a message repeats at most."""

_STYLES = {"error": "31;1", "warning": "33", "good": "32", "added": "32", "removed": "31", "dim": "2", "bold": "1"}


def escape(text: str) -> str:
    """Foreign text made harmless for a line of a report: no line ends, terminal controls or invisible characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)


def escape_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(escape(line) for line in text.splitlines())


def quote(text: str | bytes, most: int = MAX_QUOTED) -> str:
    """At most `most` characters of the input, escaped, with an ellipsis where it was cut."""
    if isinstance(text, bytes):
        text = text[: 4 * most].decode("utf-8", "backslashreplace")
    escaped = escape(text[:most])
    return escaped if len(text) <= most and len(escaped) <= most else escaped[: most - 1] + "…"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 error`, `12,000 errors`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def colourful(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO) -> str:
    """The text in the style (a key of _STYLES) where the stream is a terminal that wants colours."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if colourful(stream) else text


def terminal_width() -> int | None:
    """Columns of standard output; None where it is no terminal, and nothing has to fit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fitted(line: str, hang: int = 4) -> str:
    """A record's line. On a terminal, what does not fit goes on below, `hang` columns in; in a pipe it stays a line."""
    width = terminal_width()
    if width is None or len(line) <= width:
        return line
    room = max(width, hang + 20)
    return textwrap.fill(line, room, subsequent_indent=" " * hang, replace_whitespace=False, break_on_hyphens=False)


def say(text: str) -> None:
    """One line on standard error: remarks beside a command's own output, after what was told of that before."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")


def fail(message: str) -> NoReturn:
    """The command cannot do its work: says why and exits with 2."""
    say(f"{paint('kairos:', 'error', sys.stderr)} {message}")
    raise typer.Exit(2)


def keep_private() -> None:
    """Files that this process and its children make from now on are their user's alone: decisions name people."""
    os.umask(0o077)


@contextmanager
def progress_bar(what: str, total: int | None = None) -> Iterator[Callable[[int], object] | None]:
    """Yields a function that takes how much is done; None where standard error is no terminal. Removed at the end."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(what), total=total)
        yield lambda done: bar.update(task, completed=done)
