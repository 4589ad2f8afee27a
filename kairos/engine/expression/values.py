"""What the operators and functions of an expression do with values. None of this raises, whatever the values are.

Values are those of JSON: None is null; a boolean is no number; integers have 64 bits and numbers are doubles, what
leaves that range is null. Kinds are number, text, boolean, list, object and null. A comparison with null or between
different kinds is false (`!=` too). Only numbers and texts have an order. Lists and objects are equal when their
elements are, nulls inside included. `in` looks for an equal element of a list, or for a part of a text; `not in` is its
opposite where it could be asked, and false where not: for null, and where there is no list.

Only true counts as true: `and`, `or`, `not` and `if` take null, 1 and "a" for false, and give true or false.
Predicates give False where they cannot apply, the other functions None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kairos.engine.event import Event
from kairos.engine.strict_json import HIGHEST, LOWEST

_INFINITY = float("inf")
_MAX_DIGITS = 15  # decimal digits that a double holds


def within(value: Any, path: Sequence[str]) -> Any:
    """What lies under the path's keys (of a list: positions from 0); None: nothing."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and key.isascii() and len(key) < 10 and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


# ------------------------------------------------------------------------------------------------------ comparisons
def equal(a: Any, b: Any) -> bool:
    kind = type(a)
    other = type(b)
    if kind is other and (kind is str or kind is int or kind is float or kind is bool):
        return a == b  # type: ignore[no-any-return]
    if a is None or b is None:
        return False
    return _same(a, b)


def _same(a: Any, b: Any) -> bool:
    """Structural equality, in which null is null and true is not 1."""
    if type(a) is not type(b):
        return _number(a) and _number(b) and a == b
    if type(a) is list:
        return len(a) == len(b) and all(map(_same, a, b))
    if type(a) is dict:
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    return bool(a == b)


def unequal(a: Any, b: Any) -> bool:
    if type(a) is type(b) or (_number(a) and _number(b)):
        return a is not None and not _same(a, b)
    return False


def _number(a: Any) -> bool:
    return type(a) is int or type(a) is float


def _ordered(a: Any, b: Any) -> bool:
    kind = type(a)
    other = type(b)
    if kind is int or kind is float:
        return other is int or other is float
    return kind is str and other is str


def less(a: Any, b: Any) -> bool:
    return _ordered(a, b) and a < b


def less_or_equal(a: Any, b: Any) -> bool:
    return _ordered(a, b) and a <= b


def greater(a: Any, b: Any) -> bool:
    return _ordered(a, b) and a > b


def greater_or_equal(a: Any, b: Any) -> bool:
    return _ordered(a, b) and a >= b


def inside(a: Any, b: Any) -> bool:
    if a is None:
        return False
    if type(b) is list:
        return any(_same(a, element) for element in b)
    return type(a) is str and type(b) is str and a in b


def not_inside(a: Any, b: Any) -> bool:
    """True only where `in` could have been: a value that is not null, and a list (or a text and a text)."""
    if a is None:
        return False
    return (type(b) is list or (type(a) is str and type(b) is str)) and not inside(a, b)


# -------------------------------------------------------------------------------------------------------- arithmetic
def in_range(value: Any) -> Any:
    """The value itself, or None where a 64-bit integer or a double cannot hold it (NaN comes of infinity only)."""
    if type(value) is int:
        return value if LOWEST <= value <= HIGHEST else None
    return value if -_INFINITY < value < _INFINITY else None


def add(a: Any, b: Any) -> Any:
    return in_range(a + b) if _calculable(a, b) else None


def subtract(a: Any, b: Any) -> Any:
    return in_range(a - b) if _calculable(a, b) else None


def multiply(a: Any, b: Any) -> Any:
    return in_range(a * b) if _calculable(a, b) else None


def divide(a: Any, b: Any) -> Any:
    return in_range(a / b) if _calculable(a, b) and b else None


def modulo(a: Any, b: Any) -> Any:
    """The remainder has the divisor's sign, as in Python."""
    return in_range(a % b) if _calculable(a, b) and b else None


def _calculable(a: Any, b: Any) -> bool:
    return _usable(a) and _usable(b)


def _usable(a: Any) -> bool:
    """A number within range: what comes from elsewhere than an event (a profile, a metric) may be out of it."""
    kind = type(a)
    return (kind is int and LOWEST <= a <= HIGHEST) or (kind is float and -_INFINITY < a < _INFINITY)


def negative(a: Any) -> Any:
    return in_range(-a) if _usable(a) else None


def positive(a: Any) -> Any:
    return a if _usable(a) else None


def fold(first: Any, steps: Sequence[tuple[Callable[[Any, Any], Any], Any]]) -> Any:
    """A long chain from left to right, where nested calls would nest too deep for Python's compiler."""
    for operator, operand in steps:
        first = operator(first, operand)
    return first


# --------------------------------------------------------------------------------------------------------- functions
def length(a: Any) -> int | None:
    """Characters of a text, elements of a list, members of an object."""
    return len(a) if isinstance(a, str | list | dict) else None


def lower(a: Any) -> str | None:
    return a.lower() if isinstance(a, str) else None


def upper(a: Any) -> str | None:
    return a.upper() if isinstance(a, str) else None


def starts_with(a: Any, start: Any) -> bool:
    return isinstance(a, str) and isinstance(start, str) and a.startswith(start)


def ends_with(a: Any, end: Any) -> bool:
    return isinstance(a, str) and isinstance(end, str) and a.endswith(end)


def contains(a: Any, part: Any) -> bool:
    """`part in a`, said the other way round."""
    return inside(part, a)


def absolute(a: Any) -> Any:
    return in_range(abs(a)) if _usable(a) else None


def rounded(a: Any, *digits: Any) -> Any:
    """As Python rounds: halves go to the even neighbour; without digits the result is an integer."""
    if not _usable(a):
        return None
    if not digits:
        return in_range(round(a))
    if type(digits[0]) is not int or not 0 <= digits[0] <= _MAX_DIGITS:
        return None
    return in_range(round(a, digits[0]))


def coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


# -------------------------------------------------------------------------------------------------------- aggregates
_Taken = Sequence[Event] | None


def _numbers(taken: _Taken, prop: str) -> list[Any]:
    values = [event.props.get(prop) for event in taken or ()]
    return [value for value in values if _usable(value)]


def total(taken: _Taken, prop: str) -> Any:
    return in_range(sum(_numbers(taken, prop)))


def smallest(taken: _Taken, prop: str) -> Any:
    return min(_numbers(taken, prop), default=None)


def largest(taken: _Taken, prop: str) -> Any:
    return max(_numbers(taken, prop), default=None)


def average(taken: _Taken, prop: str) -> Any:
    values = _numbers(taken, prop)
    return in_range(sum(values) / len(values)) if values else None
