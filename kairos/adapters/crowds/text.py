"""Intervals and live numbers as texts: `41`, `5:42`; `41 1763778000000 1763777000000`. And what a profile says of
them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kairos.adapters.crowds.port import Live, Span
from kairos.engine.crowd.membership import SNAPSHOTS


def span_text(span: Span) -> str:
    return str(span.from_n) if span.to_n is None else f"{span.from_n}:{span.to_n}"


def span_of(user: str, text: str) -> Span:
    """Raises ValueError."""
    start, ends, end = text.partition(":")
    return Span(user, int(start), int(end) if ends else None)


def live_text(live: Live) -> str:
    return f"{live.n} {live.at} {live.as_of}"


def live_of(text: str) -> Live:
    """Raises ValueError."""
    return Live(*map(int, text.split(" ")))


def live_numbers(crowds: Iterable[str], answers: Iterable[bytes | None]) -> dict[str, int]:
    """`answers`: to each of the crowds in order, its live number as a text; None: there is no snapshot yet."""
    found = zip(crowds, answers, strict=True)
    return {crowd: live_of(text.decode()).n for crowd, text in found if text is not None}


def crowds_in(crowds: Iterable[str], answers: Iterable[bytes | None], live: Mapping[str, int]) -> list[str]:
    """Those of the crowds that a user is in, by her intervals in the same order."""
    found = zip(crowds, answers, strict=True)
    return [c for c, text in found if text is not None and c in live and span_of("", text.decode()).holds(live[c])]


def with_crowds(
    profile: Mapping[str, Any] | None, live: Mapping[str, int], crowds: Iterable[str]
) -> dict[str, Any] | None:
    """The profile as one that knows these crowds, too, and which snapshots have said so."""
    if not live:
        return None if profile is None else dict(profile)
    known = (profile or {}).get("crowds")
    named = list(known) if isinstance(known, list | tuple) else [] if known is None else [known]
    return {**(profile or {}), "crowds": [*named, *(c for c in crowds if c not in named)], SNAPSHOTS: dict(live)}
