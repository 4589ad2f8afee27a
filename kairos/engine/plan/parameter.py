"""Parameters of a plan: what they may be, and how a value of them is written into YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kairos.engine.rule.fields.plan import ORDERED, PARAMETER_TYPES
from kairos.engine.rule.fields.reading.read import read
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.text.nodes import KINDS, Node, YamlError, read_yaml
from kairos.engine.rule.text.quoted import as_yaml, quoted
from kairos.engine.rule.text.report import Report, listed
from kairos.engine.rule.text.scalars import parse_duration, spell_duration

_AS_IT_IS = ("duration", "number", "integer", "percent", "boolean")


@dataclass(frozen=True)
class Given:
    """A value of a parameter. `text`: as it is spelt, None: nothing. `value`: what it means (ms, a share, text ...)."""

    type: str
    text: str | None
    value: Any = None

    def plain(self) -> Any:
        """As it is noted in a file: a number or a word as itself, everything else as it is spelt."""
        return self.value if self.type in ("number", "integer", "boolean") else self.text

    def yaml(self, literal: bool = False) -> str:
        """`literal`: as an expression that is this text."""
        assert self.text is not None
        if literal:
            return "'" + quoted(self.text).replace("'", "''") + "'"
        return self.text if self.type in _AS_IT_IS else as_yaml(self.text)

    def moved(self, by: Given, sign: int) -> Given | None:
        """The sum or the difference; None where it would be nothing that the type can say."""
        value = self.value + sign * by.value
        if self.type == "duration":
            return Given("duration", spell_duration(value), value) if value >= 0 else None
        return Given(self.type, f"{value:g}", value)


@dataclass(frozen=True)
class Parameter:
    """`least` and `most` bound what has an order, `allowed` lists what else may be put in; None: no bound."""

    name: str
    type: str
    default: Given
    title: str = ""
    bounds: tuple[Given, Given] | None = None
    allowed: tuple[Given, ...] | None = None

    @property
    def optional(self) -> bool:
        return self.default.text is None

    def said_range(self) -> str:
        if self.bounds is not None:
            return f"{self.bounds[0].text} to {self.bounds[1].text}"
        return listed(str(one.text) for one in self.allowed) if self.allowed is not None else ""

    def problem_of(self, given: Given) -> str | None:
        """What is wrong with a value of the right type."""
        if given.text is None:
            return None if self.optional else f"{self.name}: expected a value"
        if self.bounds is not None and not self.bounds[0].value <= given.value <= self.bounds[1].value:
            return f"{self.name}: expected {self.said_range()}, found {given.text}"
        if self.allowed is not None and given.text not in {one.text for one in self.allowed}:
            return f"{self.name}: expected {self.said_range()}, found {given.text}"
        return None


def parameters_in(value: Value | None, report: Report) -> dict[str, Parameter]:
    """Those of a plan that can be read. `value`: what stands under `parameters`."""
    found = {}
    for name, entry in value.items() if value is not None else ():
        if "type" in entry and "default" in entry and (one := _parameter(name, entry, report)) is not None:
            found[name] = one
    return found


def _parameter(name: str, entry: Value, report: Report) -> Parameter | None:
    type_ = entry.plain("type")
    default = given_in(entry["default"].node, type_, report, f"{name}: default")
    ends = [given_in(node, type_, report, f"{name}: range") for node in _range(entry)]
    if default is None or None in ends:
        return None
    known = tuple(end for end in ends if end is not None)
    ordered = type_ in ORDERED and bool(known)
    if ordered and not _is_ordered(known):
        message = f"{name}: range: expected [least, greatest]"
        said = listed([one.text or "null" for one in known], "and")
        report.error(entry["range"].node, "bad-range", message, f"[{said}]")
        return None
    parameter = Parameter(
        name, type_, default, entry.plain("title"),
        (known[0], known[1]) if ordered else None, known if known and not ordered else None,
    )  # fmt: skip
    if default.text is not None and (problem := parameter.problem_of(default)):
        report.error(entry["default"].node, "out-of-range", f"default: {problem}")
    return parameter


def _is_ordered(ends: Sequence[Given]) -> bool:
    return len(ends) == 2 and all(one.text is not None for one in ends) and bool(ends[0].value <= ends[1].value)


def _range(entry: Value) -> list[Node]:
    if "range" not in entry:
        return []
    node = entry["range"].node
    return node.items if node.kind == "list" else [node]


def given_in(node: Node, type_: str, report: Report, name: str) -> Given | None:
    """The value at a node, as one of this type; `null` is nothing. None: it is none, which the report says."""
    if node.kind == "null":
        return Given(type_, None)
    value = read(node, PARAMETER_TYPES[type_], report, name)
    return None if value is None else Given(type_, node.text, value.data)


def given(text: str, parameter: Parameter) -> tuple[Given | None, str | None]:
    """What `--set` says of a parameter, or why it cannot be that. Empty text is nothing."""
    report = Report("", text)
    try:
        node = read_yaml(text)
    except YamlError:
        node = None
    if node is None or parameter.type in ("string", "expression", "clock"):
        node = Node("text" if text else "null", 1, 1, 0, len(text), "'", text, text)
    elif not node.is_scalar:
        return None, f"{parameter.name}: expected {PARAMETER_TYPES[parameter.type].expected}, found {KINDS[node.kind]}"
    found = given_in(node, parameter.type, report, parameter.name)
    if found is None:
        finding = report.findings[0]
        return None, f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    if problem := parameter.problem_of(found):
        return None, problem
    return found, None


def noted(text: Any) -> str:
    """A value of a `from` as `--set` would spell it."""
    if isinstance(text, bool):
        return str(text).lower()
    return "" if text is None else str(text)


def distance(text: str) -> Given | None:
    """What `plus` or `minus` may say without a parameter: a duration or a number."""
    if (ms := parse_duration(text)) is not None:
        return Given("duration", text, ms)
    try:
        return Given("number", text, int(text) if text.isdecimal() else float(text))
    except ValueError:
        return None


Values = Mapping[str, Given]
