"""Where something stands in an expression's text."""

from __future__ import annotations

import re


class Places:
    """Python's line and UTF-8 column, in the text wrapped in one bracket -> offset into the text itself."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def of(self, line: int, column: int) -> int:
        if line > len(self._starts):
            return len(self._text)
        start = self._starts[line - 1]
        column -= line == 1  # the bracket
        before = self._text[start : start + column].encode("utf-8", "replace")[:column].decode("utf-8", "ignore")
        return start + len(before)

    def of_syntax_error(self, error: SyntaxError) -> int:
        """Syntax errors count characters, from 1."""
        line = error.lineno or 1
        if line > len(self._starts):
            return len(self._text)
        column = (error.offset or 1) - 1 - (line == 1)
        return max(0, min(self._starts[line - 1] + column, len(self._text)))
