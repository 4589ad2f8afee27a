"""A pattern without steps, which nothing ever begins: for activities that are not decided by events."""

from __future__ import annotations

from kairos.engine.pattern.single import Single


class Never(Single):
    """See `matcher.Matcher` for its methods."""

    def __init__(self, shape: str) -> None:
        super().__init__("", None, shape, {})
