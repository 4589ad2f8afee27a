"""The vocabulary in which fields are declared: frozen data, read by `read`, `schema` and `reference` alike.

A type says what it accepts in words (`expected`), for messages. Ranges are part of the type, so they are said once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kairos.engine.rule.text.report import listed


@dataclass(frozen=True)
class Text:
    """Any text. `pattern` and `expected` go together; `loose` takes numbers as the text that they are written with."""

    expected: str = "text"
    pattern: str | None = None
    longest: int = 1_000
    shortest: int = 1
    loose: bool = False


@dataclass(frozen=True)
class Choice:
    """One word of several."""

    values: tuple[str, ...]

    @property
    def expected(self) -> str:
        return listed(self.values)


@dataclass(frozen=True)
class Integer:
    least: int
    most: int | None = None

    @property
    def expected(self) -> str:
        if self.most is not None:
            return f"a whole number from {self.least} to {self.most:,}"
        return f"a {'positive ' if self.least == 1 else ''}whole number, at least {self.least}"


@dataclass(frozen=True)
class PositiveNumber:
    """`zero`: 0 is allowed (a price)."""

    zero: bool = False

    @property
    def expected(self) -> str:
        return "a number that is not negative" if self.zero else "a positive number"


@dataclass(frozen=True)
class Number:
    expected: str = "a number"


@dataclass(frozen=True)
class Boolean:
    expected: str = "true or false"


@dataclass(frozen=True)
class Duration:
    """Read as milliseconds. `zero`: 0s is allowed (an instant, counted from a start)."""

    zero: bool = False

    @property
    def expected(self) -> str:
        least = "at least 0s" if self.zero else "positive"
        return f"a duration such as 90s, 10m, 24h, 7d ({least}, at most 3650d)"


@dataclass(frozen=True)
class Percent:
    """Read as a share, 0..1."""

    expected: str = "a percentage (0% to 100%, with the % sign)"


@dataclass(frozen=True)
class Clock:
    """Read as minutes since midnight."""

    expected: str = 'a time of day from "00:00" to "23:59"'


@dataclass(frozen=True)
class Moment:
    """Read as a datetime, naive unless an offset is written."""

    expected: str = "a date and time such as 2026-11-01T00:00, from 1990 to 2100"


@dataclass(frozen=True)
class TimeZone:
    expected: str = "a time zone such as Asia/Shanghai"


@dataclass(frozen=True)
class Expression:
    """Read as its text. `script`: JavaScript may stand in its place (`{js: ...}`). `boolean`: it is a condition."""

    script: bool = False
    boolean: bool = False

    @property
    def expected(self) -> str:
        return "a condition" if self.boolean else "an expression"


@dataclass(frozen=True)
class Anything:
    """Any JSON value."""

    expected: str = "a value"


@dataclass(frozen=True)
class ListOf:
    """`shortest` to `longest` items; `one`: a single item may stand without its list."""

    item: Type
    shortest: int = 0
    one: bool = False
    longest: int = 10_000

    @property
    def expected(self) -> str:
        return f"{self.item.expected} or a list of them" if self.one else f"a list, each {self.item.expected}"


@dataclass(frozen=True)
class MapOf:
    """A mapping from names that the author chooses. `what` names one of them in messages and in the reference."""

    what: str
    key: Text
    value: Type
    shortest: int = 0

    @property
    def expected(self) -> str:
        return f"a mapping from {self.what} to its value"


@dataclass(frozen=True)
class OneOf:
    """Alternatives: the first that takes the value."""

    options: tuple[Type, ...]

    @property
    def expected(self) -> str:
        words: list[str] = []
        for option in self.options:
            words += option.values if isinstance(option, Choice) else [option.expected]
        return listed(words)


@dataclass(frozen=True)
class Named:
    """A record that refers to itself, or is used in several places: resolved when it is read."""

    name: str
    get: Callable[[], Type]

    @property
    def expected(self) -> str:
        return self.get().expected


@dataclass(frozen=True)
class Filled:
    """Of a plan: read as `type` once its parameters are put in; until then `{$: wait}` may stand anywhere in it."""

    type: Type

    @property
    def expected(self) -> str:
        return self.type.expected


@dataclass(frozen=True)
class Required:
    """The default of a field that has none."""


REQUIRED = Required()


@dataclass(frozen=True)
class Field:
    """`default` None: nothing happens without it. `shown_default` says defaults that are not a constant."""

    name: str
    type: Type
    doc: str
    default: Any = None
    shown_default: str | None = None


@dataclass(frozen=True)
class Record:
    """A mapping with known keys. `choose`: exactly one of these keys says which kind of record it is.

    `beside`: kind -> keys of other kinds that say something else beside it.
    """

    name: str
    doc: str
    fields: tuple[Field, ...]
    choose: tuple[str, ...] = ()
    beside: tuple[tuple[str, tuple[str, ...]], ...] = ()
    other: Type | None = None  # the one further key, named by the author (an example's event)
    other_what: str = ""

    @property
    def expected(self) -> str:
        keys = [f.name for f in self.fields]
        return f"a mapping with the key{'s' if len(keys) > 1 else ''} {listed(keys, 'and')}"

    def kinds(self, keys: Iterable[str]) -> list[str]:
        """Those of `choose` that are among these keys."""
        given = [key for key in keys if key in self.choose]
        taken = {key for kind, keys in self.beside if kind in given for key in keys}
        return [key for key in given if key not in taken]

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)


Scalar = Text | Choice | Integer | Number | PositiveNumber | Boolean | Duration | Percent | Clock | Moment | TimeZone
Type = Scalar | Expression | Anything | ListOf | MapOf | OneOf | Named | Filled | Record
