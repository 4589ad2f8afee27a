"""Regular expressions of RE2: their time is at most the text's length times the pattern's size.

Where that product is beyond all use (a large pattern over a text of megabytes), the answer is "not found".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

_MEMORY = 1 << 20  # bytes for one compiled pattern and its automaton
_MOST_WORK = 50_000_000  # bytes of text times instructions of the pattern: about half a second at the worst


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


def regex_error(pattern: str) -> str | None:
    """Why this is no regular expression, or None."""
    try:
        _compiled(pattern)
    except re2.error as error:
        said = error.args[0] if error.args else error
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern, _options())


def searcher(pattern: str) -> Callable[[Any], bool]:
    """Says whether the pattern is found anywhere in a value; false for what is no text. Raises re2.error."""
    compiled = _compiled(pattern)
    search = compiled.search
    longest = _MOST_WORK // max(compiled.programsize, 1)

    def matches(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        try:
            text = value.encode()  # bytes, for nobody asks for offsets in characters
        except UnicodeError:  # a lone surrogate: no text that a pattern could be found in
            return False
        return len(text) <= longest and search(text) is not None

    return matches
