"""What the commands say to people: messages that no input can forge; colours and progress on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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


def quote(text: str | bytes, most: int = MAX_QUOTED) -> str:
    """At most `most` characters of the input, escaped, with an ellipsis where it was cut."""
    if isinstance(text, bytes):
        text = text[: 4 * most].decode("utf-8", "backslashreplace")
    escaped = escape(text[:most])
    return escaped if len(text) <= most and len(escaped) <= most else escaped[: most - 1] + "…"


def colourful(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO) -> str:
    """The text in the style (a key of _STYLES) where the stream is a terminal that wants colours."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if colourful(stream) else text


def say(text: str) -> None:
    """One line on standard error: remarks beside a command's own output."""
    sys.stderr.write(text + "\n")


def fail(message: str) -> NoReturn:
    """The command cannot do its work: says why and exits with 2."""
    say(f"{paint('kairos:', 'error', sys.stderr)} {message}")
    raise typer.Exit(2)


def reason_of(error: Exception) -> str:
    """What the system says, without number and path: "no such file or directory"."""
    return str(getattr(error, "strerror", None) or error).lower()


def need_folder(path: Path, what: str) -> None:
    if not path.exists():
        fail(f"{what} {escape(str(path))}: there is no such folder")
    if not path.is_dir():
        fail(f"{what} {escape(str(path))} is not a folder")


@contextmanager
def progress_bar(what: str, total: int | None = None) -> Iterator[Callable[[int], object] | None]:
    """Yields a function that takes how much is done; None where standard error is no terminal. Removed at the end."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
