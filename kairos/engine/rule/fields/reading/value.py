"""What the reader makes of a node: the value, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kairos.engine.rule.fields.types import Anything, Record, Type
from kairos.engine.rule.text.nodes import Node


@dataclass(eq=False, slots=True)
class Value:
    """A value with its place.

    `data` is a scalar's value (text, number, ms, share, Script ...), a list of Values, or for a mapping a dict from key
    to Value. What could not be read is left out, and `broken` is set here and on everything above, so that later phases
    can tell "not written" from "written wrongly". `keys`: the nodes of a mapping's keys.
    """

    node: Node
    type: Type
    data: Any
    keys: dict[str, Node] = field(default_factory=dict)
    broken: bool = False

    def __contains__(self, name: str) -> bool:
        return name in self.data

    def __getitem__(self, name: str) -> Value:
        found: Value = self.data[name]
        return found

    def find(self, *path: str) -> Value | None:
        """The value under these keys, None where one of them is missing."""
        at: Value | None = self
        for name in path:
            at = at.data.get(name) if at is not None and isinstance(at.data, dict) else None
        return at

    def plain(self, name: str) -> Any:
        """The plain data of a field, or its declared default."""
        if (value := self.data.get(name)) is not None:
            return value.unwrap()
        assert isinstance(self.type, Record)
        declared = self.type.field(name)
        assert declared is not None, name
        return declared.default

    def unwrap(self) -> Any:
        """Without places: scalars, lists and dicts."""
        if isinstance(self.type, Anything):
            return self.data
        if isinstance(self.data, list):
            return [item.unwrap() for item in self.data]
        if isinstance(self.data, dict):
            return {key: value.unwrap() for key, value in self.data.items()}
        return self.data

    def items(self) -> Iterator[tuple[str, Value]]:
        yield from self.data.items()

    def each(self) -> list[Value]:
        found: list[Value] = self.data
        return found
