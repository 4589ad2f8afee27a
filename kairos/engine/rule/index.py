"""An index over conditions: of many, those that an event's props may make true are found rather than asked."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kairos.engine.expression.required import Cut, Requirement, Span, requirements, width
from kairos.engine.expression.tree import Node

FEW = 8
"""So many conditions are asked sooner than looked for."""


class ConditionIndex:
    """By number. It finds every condition that is true, and some that are not: what is found has to be asked."""

    def __init__(self, conditions: Iterable[Node | None]) -> None:
        """None: nothing is known of it, so it is always found."""
        options = {n: [] if condition is None else requirements(condition) for n, condition in enumerate(conditions)}
        common = Counter(
            where for option in options.values() for requirement in option for where in _spans(requirement)
        )
        self._always = [n for n, option in options.items() if not option]
        by_prop: dict[str, list[tuple[Span, int]]] = {}
        for n, option in options.items():
            if option:
                rarest = min(option, key=lambda r: (*width(r)[:2], sum(common[where] for where in _spans(r))))
                for name, span in _spans(rarest):
                    by_prop.setdefault(name, []).append((span, n))
        self._by_prop = [(name, _Values(spans)) for name, spans in by_prop.items()]

    def find(self, props: Mapping[str, Any]) -> Sequence[int]:
        """In order, each once."""
        found: list[int] = []
        for name, values in self._by_prop:
            value = props.get(name)
            if value is not None:
                found += values.at(value)
        return sorted({*found, *self._always}) if found else self._always


def _spans(requirement: Requirement) -> Iterator[tuple[str, Span]]:
    return ((name, span) for name, spans in requirement.items() for span in spans)


class _Values:
    """Numbers by the values of one prop."""

    def __init__(self, numbered: Sequence[tuple[Span, int]]) -> None:
        self._points: dict[Any, list[int]] = {}
        wider: dict[type, list[tuple[Span, int]]] = {}
        for span, n in numbered:
            if span.is_point and span.low is not None:
                self._points.setdefault(span.low[0], []).append(n)  # 1 and true are one here, which is one too many
            else:
                wider.setdefault(span.kind, []).append((span, n))
        spans = {kind: _Spans(of_kind) for kind, of_kind in wider.items()}
        texts, numbers = spans.get(str), spans.get(float)
        self._spans = {str: texts, int: numbers, float: numbers, bool: None}

    def at(self, value: Any) -> Iterable[int]:
        if type(value) not in self._spans:
            return ()
        points, spans = self._points.get(value, ()), self._spans[type(value)]
        return points if spans is None else (*points, *spans.at(value))


class _Spans:
    """A segment tree: each span is noted at the few nodes that make it up, and a value is on one way to the root."""

    def __init__(self, numbered: Sequence[tuple[Span, int]]) -> None:
        self._cuts = sorted({cut for span, _ in numbered for cut in (span.low, span.high) if cut is not None})
        self._leaves = len(self._cuts) + 1
        self._nodes: list[list[int]] = [[] for _ in range(2 * self._leaves)]
        for span, n in numbered:
            first = self._leaf(span.low) if span.low is not None else 0
            behind = self._leaf(span.high) if span.high is not None else self._leaves
            self._note(self._leaves + first, self._leaves + behind, n)

    def at(self, value: str | float) -> Iterator[int]:
        node = self._leaves + self._leaf((value, 0))
        while node:
            yield from self._nodes[node]
            node >>= 1

    def _leaf(self, cut: Cut) -> int:
        """The stretch between two cuts that begins with this one, or in which it lies."""
        return bisect_right(self._cuts, cut)

    def _note(self, node: int, behind: int, n: int) -> None:
        while node < behind:
            if node & 1:
                self._nodes[node].append(n)
                node += 1
            if behind & 1:
                behind -= 1
                self._nodes[behind].append(n)
            node >>= 1
            behind >>= 1
