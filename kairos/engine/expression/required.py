"""What a condition requires of the props that it reads: of many conditions those are found by it that may be true.

A requirement is necessary and need not be sufficient: where it is not met the condition is not true; where it is met,
the condition still has to be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kairos.engine.expression.tree import Comparison, ListOf, Literal, Logic, Node, Prop, Scalar

Cut = tuple[str | float, int]
"""A place between values: (value, 0) is just before the value, (value, 1) just behind it."""


class Span(NamedTuple):
    """The values of one kind between two cuts; None: no end. Booleans, numbers and texts are kinds."""

    kind: type
    low: Cut | None
    high: Cut | None

    @property
    def is_point(self) -> bool:
        return self.low is not None and self.high is not None and self.low[0] == self.high[0]


Requirement = Mapping[str, Sequence[Span]]
"""Prop -> spans. It is met where one of the props lies in one of its spans; an empty one never is."""

_FLIPPED = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MOST_PAIRS = 1_000


def requirements(condition: Node) -> list[Requirement]:
    """All of them must be met for the condition to be true. Nothing: it is not known to require anything."""
    match condition:
        case Logic(operator="and", operands=operands):
            return _narrowed(each for operand in operands for each in requirements(operand))
        case Logic(operands=operands):
            return _any_of([requirements(operand) for operand in operands])
        case Comparison(first=first, rest=rest):
            pairs = zip((first, *(operand for _, operand in rest)), rest, strict=False)
            return _narrowed(each for a, (sign, b) in pairs for each in _compared(a, sign, b))
        case Prop(name=name):
            return [{name: _points([True])}]
        case Literal(value=value):
            return [] if value is True else [{}]
    return []


def _compared(a: Node, sign: str, b: Node) -> list[Requirement]:
    if isinstance(b, Prop) and sign in _FLIPPED:
        a, sign, b = b, _FLIPPED[sign], a
    if not isinstance(a, Prop):
        return []
    if isinstance(b, Literal) and sign in _FLIPPED:
        return [{a.name: _on_one_side(sign, b.value)}]
    if isinstance(b, ListOf) and sign == "in":
        values = [item.value for item in b.items if isinstance(item, Literal)]
        return [{a.name: _points(values)}] if len(values) == len(b.items) else []
    return []


def _on_one_side(sign: str, value: Scalar) -> Sequence[Span]:
    if sign == "==":
        return _points([value])
    if value is None or isinstance(value, bool):  # without an order
        return ()
    kind, edge = _kind(value), (value, int(sign in ("<=", ">")))
    return (Span(kind, edge, None) if sign in (">", ">=") else Span(kind, None, edge),)


def _points(values: Iterable[Scalar]) -> Sequence[Span]:
    return tuple(Span(_kind(value), (value, 0), (value, 1)) for value in values if value is not None)


def _kind(value: str | float) -> type:
    return float if type(value) is int else type(value)


def _any_of(options: Sequence[list[Requirement]]) -> list[Requirement]:
    """One requirement that is met where the narrowest of one of the options is."""
    if not all(options):
        return []
    together: dict[str, Sequence[Span]] = {}
    for option in options:
        for name, spans in min(option, key=width).items():
            together[name] = (*together.get(name, ()), *spans)
    return [together]


def width(requirement: Requirement) -> tuple[int, int, int]:
    """How much it lets pass, roughly: what has an open end lets more pass than what has two, or a single value."""
    spans = [span for spans in requirement.values() for span in spans]
    open_ended = sum(span.low is None or span.high is None for span in spans)
    return open_ended, sum(not span.is_point for span in spans), len(spans)


def _narrowed(every: Iterable[Requirement]) -> list[Requirement]:
    """The same, where those of one and the same prop are one."""
    of_one: dict[str, Sequence[Span]] = {}
    of_several: list[Requirement] = []
    for requirement in every:
        if len(requirement) != 1:
            of_several.append(requirement)
            continue
        ((name, spans),) = requirement.items()
        of_one[name] = _both(of_one[name], spans) if name in of_one else spans
    return [*({name: spans} for name, spans in of_one.items()), *of_several]


def _both(some: Sequence[Span], others: Sequence[Span]) -> Sequence[Span]:
    if len(some) * len(others) > _MOST_PAIRS:
        return min(some, others, key=len)
    met = (_overlap(a, b) for a in some for b in others if a.kind is b.kind)
    return tuple(span for span in met if span.low is None or span.high is None or span.low < span.high)


def _overlap(a: Span, b: Span) -> Span:
    low = max(filter(None, (a.low, b.low)), default=None)
    return Span(a.kind, low, min(filter(None, (a.high, b.high)), default=None))
