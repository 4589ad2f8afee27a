"""What a kept crowd may ask of a user's whole past: `count(purchase, 90d)`, `total(purchase.amount, 90d, amount > 5)`.

The same grammar with two things more: durations stand as they are written everywhere in rules (`30d`), and the
functions of HISTORY take an event type, or a prop of it, a window and a condition on its events.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from kairos.engine.event import OWN
from kairos.engine.expression.foreign import Refused
from kairos.engine.expression.places import Places
from kairos.engine.expression.translate import Translator
from kairos.engine.expression.tree import History, Literal, Node, StepProp, walk

RFM = {"r": "integer", "f": "integer", "m": "integer", "segment": "string"}
"""What is read as `rfm.r`, ...: columns of the table `rfm`."""

HISTORY = {
    "count": "how many such events",
    "total": "the sum of a prop",
    "avg": "the mean of a prop",
    "min": "the smallest value of a prop",
    "max": "the greatest value of a prop",
    "distinct": "how many different values of a prop",
    "first": "how long ago the first was; of a prop, its value then",
    "last": "how long ago the last was; of a prop, its value then",
}
NUMBERS_ONLY = frozenset({"total", "avg", "min", "max"})
OF_A_PROP = NUMBERS_ONLY | {"distinct"}

_DURATION = re.compile(r"(?<![\w.])(?:\d+[smhd])+(?!\w)")
_PART = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST = 3_650 * _UNITS["d"]


def durations_in(text: str) -> dict[int, tuple[int, int]]:
    """Where each duration begins -> (where it ends, its ms). `text`: without what stands in quotes."""
    return {
        found.start(): (found.end(), sum(int(n[:12]) * _UNITS[unit] for n, unit in _PART.findall(found.group())))
        for found in _DURATION.finditer(text)
    }


def without_durations(text: str, durations: Mapping[int, tuple[int, int]]) -> str:
    """With a name of the same length in place of each, for Python knows none."""
    masked = list(text)
    for start, (end, _) in durations.items():
        masked[start:end] = "x" * (end - start)
    return "".join(masked)


class HistoryTranslator(Translator):
    """`durations`: as `durations_in` finds them."""

    def __init__(self, text: str, places: Places, max_levels: int, durations: Mapping[int, tuple[int, int]]) -> None:
        super().__init__(text, places, max_levels)
        self._durations = durations

    def _name(self, name: str, start: int, end: int) -> Node:
        if start not in self._durations:
            return super()._name(name, start, end)
        ms = self._durations[start][1]
        if not 0 < ms <= LONGEST:
            message = f"'{self._text[start:end][:30]}': expected a duration above 0s, at most 3650d"
            raise Refused(start, message, code="bad-duration")
        return Literal(start, end, ms)

    def _call(self, node: ast.Call, start: int, end: int, level: int) -> Node:
        if not (isinstance(node.func, ast.Name) and node.func.id in HISTORY):
            return super()._call(node, start, end, level)
        name = node.func.id
        if node.keywords or not 1 <= len(node.args) <= 3:
            form = f"{name}({'TYPE.prop' if name in OF_A_PROP else 'TYPE'}, WINDOW, CONDITION)"
            raise Refused(start, f"{name}() takes an event type, a window and a condition", form, "argument-count")
        event, prop = self._asked(name, node.args[0])
        window, rest = self._window(node.args[1:])
        if len(rest) > 1:
            place = self._places.of(node.args[1].lineno, node.args[1].col_offset)
            raise Refused(place, f"{name}(): the window is a duration such as 30d", code="bad-duration")
        condition = self.translate(rest[0], level + 1) if rest else None
        return History(start, end, name, event, prop, window, condition)

    def _asked(self, name: str, argument: ast.expr) -> tuple[str, str | None]:
        """(event type, prop). Types with a dot are Kairos' own, or stand in quotes."""
        place = self._places.of(argument.lineno, argument.col_offset)
        path: list[str] = []
        inner = argument
        while isinstance(inner, ast.Attribute):
            path.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value:
            event = inner.value
        elif isinstance(inner, ast.Name) and place not in self._durations:
            event = inner.id
            if path and f"{event}." in OWN:
                event = f"{event}.{path.pop(0)}"
        else:
            hint = f"{name}(purchase{'.amount' if name in OF_A_PROP else ''}, 30d)"
            raise Refused(place, f"{name}() begins with an event type", hint, "argument-type")
        prop = ".".join(path) or None
        if prop is None and name in OF_A_PROP:
            hint = f"{name}({event}.amount, ..)"
            raise Refused(place, f"{name}() is of a prop: which one of '{event}'?", hint, "argument-type")
        if prop is not None and name == "count":
            hint = f"{name}({event}, 30d, exists({prop}))"
            raise Refused(place, f"count() counts events, not a prop: '{event}.{prop}'", hint, "argument-type")
        return event, prop

    def _window(self, arguments: list[ast.expr]) -> tuple[int | None, list[ast.expr]]:
        """(its ms, None: since ever; what is left)."""
        if arguments and isinstance(arguments[0], ast.Name):
            start = self._places.of(arguments[0].lineno, arguments[0].col_offset)
            end = self._places.of(arguments[0].end_lineno or 1, arguments[0].end_col_offset or 0)
            if start in self._durations:
                found = self._name(arguments[0].id, start, end)
                assert isinstance(found, Literal)
                return int(found.value or 0), arguments[1:]
        return None, arguments


def asks_history(tree: Node) -> bool:
    """Whether it could not be asked without the warehouse."""
    return any(isinstance(node, History) or (isinstance(node, StepProp) and node.step == "rfm") for node in walk(tree))
