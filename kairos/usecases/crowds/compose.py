"""A crowd put together from what somebody chose: its line of crowds.yaml, which lint then looks at."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import yaml

from kairos.engine.expression.history import HISTORY
from kairos.engine.rule.fields.common import NAMED
from kairos.engine.rule.text.scalars import NAME
from kairos.usecases.errors import AskError

FUNCTIONS = (*HISTORY, "profile", "rfm")
OPERATORS = (">=", "<=", ">", "<", "==", "!=")
SETS = ("union", "intersect", "difference")
WIDTH = 1_000_000

_PLAIN = re.compile(r"-?\d+(\.\d+)?|(\d+[smhd])+|true|false|null")


class Condition(msgspec.Struct, frozen=True):
    """`what`: one of FUNCTIONS. `of`: an event type; of profile and rfm the field. `prop`: of these events. `window`:
    as in rules, `90d`; empty: the whole past."""

    what: str
    of: str
    prop: str = ""
    window: str = ""
    operator: str = ">="
    value: str = "1"

    def text(self) -> str:
        """As an expression."""
        value = self.value.strip()
        told = value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
        return f"{self._asked()} {self.operator} {told}"

    def _asked(self) -> str:
        if self.what in HISTORY:
            source = f"{self.of}.{self.prop}" if self.prop else self.of
            return f"{self.what}({source}, {self.window})" if self.window else f"{self.what}({source})"
        return f"{self.what}.{self.of}"


class Wanted(msgspec.Struct, frozen=True):
    """`where` written by hand goes before `conditions`. With `sets`, of other crowds (`joined` is how); `joined` else
    "and" or "or". `count`: so many of them, None: all."""

    name: str
    refresh: str = "1d"
    joined: str = "and"
    where: str = ""
    conditions: Sequence[Condition] = ()
    sets: Sequence[str] = ()
    count: int | None = None


def definition(wanted: Wanted) -> str:
    """A line of crowds.yaml. Raises AskError where nothing was chosen, or this is no name."""
    if len(wanted.name) > NAMED.longest or not re.fullmatch(NAME, wanted.name):
        raise AskError(f"the name of a crowd: expected {NAMED.expected}, of {NAMED.longest} characters at most")
    crowd: dict[str, Any] = _set(wanted) if wanted.joined in SETS else {"where": _where(wanted)}
    if wanted.count is not None:
        if "where" in crowd:
            raise AskError("only of other crowds some can be taken; without a number it is all of them")
        crowd = {"limit": wanted.count, "of": crowd}
    told = yaml.safe_dump(
        {**crowd, "refresh": wanted.refresh}, sort_keys=False, default_flow_style=True, width=WIDTH, allow_unicode=True
    )
    return f"{wanted.name}: {told}"


def _set(wanted: Wanted) -> dict[str, Any]:
    if len(wanted.sets) < 2:
        raise AskError("at least two crowds are needed")
    return {wanted.joined: list(wanted.sets)}


def _where(wanted: Wanted) -> str:
    if wanted.where.strip():
        return " ".join(wanted.where.split())
    if not wanted.conditions:
        raise AskError("nothing is asked yet: choose a condition")
    return f" {wanted.joined} ".join(condition.text() for condition in wanted.conditions)


def added(text: str, line: str) -> str:
    """crowds.yaml with one crowd more."""
    return f"{text.rstrip()}\n{line}" if text.strip() else line
