"""What has no value in a message, followed while it is rendered.

What is made of a missing value is missing too, until a `default` stands in: `{{ name | upcase }}` is as much of a hole
as `{{ name }}`. It still compares and counts as Liquid has it (a text as empty, a size as 0), so that conditions are
as they always were; printing it is noted in `Context.gaps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from liquid import BoundTemplate, RenderContext
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.echo_tag import EchoNode
from liquid.expression import Expression
from liquid.stringify import to_liquid_string
from liquid.undefined import UNDEFINED, Undefined

_OF_ELEMENTS = frozenset({"join", "sum"})
"""Filters that put every element of a list into one result."""


class Missing(Undefined):
    """`name`: the path that has no value; "" where nobody can say."""

    force_liquid_default = True


class _Text(str):
    name: str


class _Whole(int):
    name: str


class _Number(float):
    name: str


class _List(list[Any]):
    name: str


_VALUES = frozenset({str, int, float, bool, dict, list})
"""What nearly every value is: known at a glance."""
_MISSING = (Undefined, _Text, _Whole, _Number, _List)
_MARKED: tuple[tuple[type, Callable[[Any], Any]], ...] = ((str, _Text), (int, _Whole), (float, _Number), (list, _List))


def is_missing(value: object) -> bool:
    if type(value) in _VALUES:
        return False
    return isinstance(value, _MISSING) or value == None  # noqa: E711 (Liquid has nulls of its own, which are equal to it)


def gap_in(value: object) -> str | None:
    """What a value that is printed lacks: a name, or "" where nobody can say; None: nothing."""
    if is_missing(value):
        return str(getattr(value, "name", ""))
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        return next((gap for element in value if (gap := gap_in(element)) is not None), None)
    return None


def _marked(value: Any, name: str) -> Any:
    """The same value, known to be made of a missing one."""
    if isinstance(value, list | tuple):
        value = [_marked(element, name) for element in value]
    make = next((make for type_, make in _MARKED if isinstance(value, type_)), None)
    if make is None or isinstance(value, bool):
        return Missing(name)
    made = make(value)
    made.name = name
    return made


class Followed:
    """A filter of Liquid: what it makes of a missing value is known to be missing."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._name = name
        self._function = function

    def __getattr__(self, name: str) -> Any:
        """What the environment asks of a filter, such as `with_context`."""
        return getattr(self._function, name)

    def __call__(self, left: Any, *args: Any, **options: Any) -> Any:
        missing = [value for value in (left, *args, *options.values()) if is_missing(value)]
        if self._name == "default":
            return self._function(Missing("") if is_missing(left) else left, *args, **options)
        name = gap_in(missing[0] if missing else _elements(left, args) if self._name in _OF_ELEMENTS else "")
        result = self._function(Missing("") if left is None else left, *args, **options)
        if self._name == "map":  # nulls of its own, which `compact` does not know
            result = [None if element == None else element for element in result]  # noqa: E711
        return result if name is None else _marked(result, name)


def _elements(left: Any, args: Sequence[Any]) -> Any:
    """What of each element is put together: `sum: "price"` takes a field."""
    if not args or not isinstance(left, list | tuple):
        return left
    return [element.get(args[0]) if isinstance(element, Mapping) else element for element in left]


class Context(RenderContext):
    """One rendering. `gaps`: names of what was printed and has no value. `zone`: the reader's; None: not known."""

    def __init__(self, template: BoundTemplate, **more: Any) -> None:
        super().__init__(template, **more)
        above = self.parent_context
        self.gaps: list[str] = above.gaps if isinstance(above, Context) else []
        self.zone: ZoneInfo | None = above.zone if isinstance(above, Context) else None

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:
        found = super().get(path, token=token, default=default)
        if default is not UNDEFINED or isinstance(found, Missing):
            return found
        return Missing(_name_of(path), token=token) if found is None or isinstance(found, Undefined) else found

    def note(self, value: object, expression: Expression) -> None:
        """The value is printed."""
        gap = gap_in(value)
        if gap is not None:
            self.gaps.append(gap or str(expression))


def _name_of(path: Sequence[object]) -> str:
    """`items[0].title`."""
    first, *more = path
    return str(first) + "".join(f".{part}" if isinstance(part, str) else f"[{part}]" for part in more)


def _print(node: OutputNode, context: Context, buffer: TextIO) -> int:
    value = node.expression.evaluate(context)
    context.note(value, node.expression)
    return buffer.write(to_liquid_string(value, context.autoescape))


class NotingOutput(OutputNode):
    render_to_output = _print  # type: ignore[assignment]


class NotingEcho(EchoNode):
    render_to_output = _print  # type: ignore[assignment]


class NotingCycle(CycleNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        assert isinstance(context, Context)
        for expression in self.args:
            context.note(expression.evaluate(context), expression)
        return super().render_to_output(context, buffer)
