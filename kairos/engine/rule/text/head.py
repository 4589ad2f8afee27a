"""The head of a template: lines `Name: value` before the first empty line, as in a mail.

It is split off before anything is filled in, so no value can add a header or end the head.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]*):(?:[ \t]+(?P<value>\S.*?))?[ \t\r]*")
_NOT_A_LINE_END = re.compile(r"[^\n]")


@dataclass(frozen=True)
class Header:
    """`name` in lower case, with `_` for `-`; its line begins at offset `at`, its value is text[start:end]."""

    name: str
    at: int
    start: int
    end: int


@dataclass(frozen=True)
class Head:
    """The body begins at offset `end`, 0 where there is no head."""

    headers: tuple[Header, ...] = ()
    end: int = 0


def split_head(text: str) -> Head:
    """No head where its first line, or any before the empty one, is no header, or where no empty line ends it."""
    headers: list[Header] = []
    at = 0
    for line in text.splitlines(keepends=True):
        if headers and not line.strip():
            return Head(tuple(headers), at + len(line))
        header = _header(line, at)
        if header is None:
            break
        headers.append(header)
        at += len(line)
    return Head()


def first_header(text: str) -> Header | None:
    """What the first line would be in a head, whatever follows it."""
    return _header(text.split("\n", 1)[0], 0)


def _header(line: str, at: int) -> Header | None:
    if (found := _LINE.fullmatch(line.rstrip("\n"))) is None:
        return None
    start, end = found.span("value") if found["value"] else (found.end(), found.end())
    return Header(found["name"].lower().replace("-", "_"), at, at + start, at + end)


def only(text: str, start: int, end: int) -> str:
    """The text with blanks in place of everything outside of [start, end): what is found in it keeps its place."""
    before, after = (_NOT_A_LINE_END.sub(" ", part) for part in (text[:start], text[end:]))
    return f"{before}{text[start:end]}{after}"
