"""Liquid that the parser would take minutes to refuse: found in one pass, before it is asked.

The lexer of python-liquid is one regular expression with look-ahead. It is quadratic in openings that nothing closes
and in white space inside of braces, so that 60 kB can take ten minutes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CHARACTERS = 100_000
MAX_UNCLOSED = 20
MAX_SPACES = 200

_SPACES = re.compile(rf"\s{{{MAX_SPACES}}}")
_PAIRS = (
    (re.compile(r"\{\{"), re.compile(r"\}\}"), "'{{' is never closed: expected '}}'"),
    (re.compile(r"\{%"), re.compile(r"%\}"), "'{%' is never closed: expected '%}'"),
    (re.compile(r"\{%-?\s*raw\b"), re.compile(r"\{%-?\s*endraw\b"), "'raw' is never closed: expected 'endraw'"),
    (re.compile(r"\{%-?\s*doc\b"), re.compile(r"\{%-?\s*enddoc\b"), "'doc' is never closed: expected 'enddoc'"),
)


@dataclass(frozen=True)
class Hopeless:
    """Why this text is not parsed at all, `offset` characters into it."""

    offset: int
    message: str


def hopeless(text: str) -> Hopeless | None:
    """None: worth parsing. A few unclosed braces are left to the parser, which says more about them."""
    if len(text) > MAX_CHARACTERS:
        return Hopeless(0, f"a template has at most {MAX_CHARACTERS:,} characters")
    if found := _SPACES.search(text):
        return Hopeless(found.start(), f"more than {MAX_SPACES} spaces or empty lines in a row")
    for opening, closing, message in _PAIRS:
        end = max((match.end() for match in closing.finditer(text)), default=0)
        left = list(opening.finditer(text, end))
        if len(left) > MAX_UNCLOSED:
            return Hopeless(left[0].start(), message)
    return None
