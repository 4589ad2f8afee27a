"""Regular expressions of RE2: their time is linear in the text, whatever the pattern."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

_MEMORY = 1 << 20  # bytes for one compiled pattern and its automaton


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
    search = _compiled(pattern).search

    def matches(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        try:
            return search(value.encode()) is not None  # as bytes: nobody asks for offsets in characters
        except UnicodeError:  # a lone surrogate: no text that a pattern could be found in
            return False

    return matches
