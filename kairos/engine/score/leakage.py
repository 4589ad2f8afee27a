"""What the definition of a crowd reads, so that a model of its members does not look at it: it would know them by what
made them members, and find nobody who is like them otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from kairos.engine.crowd.spec import Crowd, HistoryCrowd, Limit, RuleCrowd, SqlCrowd, parts_of
from kairos.engine.expression import parse_history
from kairos.engine.expression.tree import Call, Field, History, Literal, StepProp, walk
from kairos.engine.score.features import Barred
from kairos.engine.warehouse.select import parsed

PURCHASES = ("purchase",)
_OF_EVENTS = frozenset({"events", "decisions", "receipts", "rfm"})


def barred_by(name: str, crowds: Mapping[str, Crowd], purchases: Iterable[str] = PURCHASES) -> Barred:
    """Of an event that it reads anything of, all is barred: whoever satisfies it has such events, and their number
    alone would tell. Of SQL the types that stand in it; all of them where it reads events and names none.

    `purchases`: the types that `rfm` is made of.
    """
    reading = _Reading(crowds, tuple(purchases))
    reading.crowd(name)
    return Barred(frozenset(reading.types), frozenset(reading.fields), reading.every_type)


class _Reading:
    def __init__(self, crowds: Mapping[str, Crowd], purchases: tuple[str, ...]) -> None:
        self.types: set[str] = set()
        self.fields: set[str] = set()
        self.every_type = False
        self._crowds, self._purchases = crowds, purchases
        self._done: set[str] = set()

    def crowd(self, crowd: str | Crowd) -> None:
        if isinstance(crowd, str):
            if crowd in self._done or crowd not in self._crowds:
                return
            self._done.add(crowd)
            crowd = self._crowds[crowd]
        match crowd:
            case HistoryCrowd(where=where) | RuleCrowd(where=where):
                self._expression(where)
            case SqlCrowd(text=text):
                self._sql(text)
            case Limit(by=by) if by is not None:
                self._expression(by)
        for part in parts_of(crowd):
            self.crowd(part)

    def _expression(self, text: str) -> None:
        for node in walk(parse_history(text).tree):
            match node:
                case History(event=event):
                    self.types.add(event)
                case Field(root="profile", name=name):
                    self.fields.add(name)
                case Field(root="metric" | "prior"):
                    self.every_type = True  # counted in the job, of whatever its metric counts
                case StepProp(step="rfm"):
                    self.types.update(self._purchases)
                case Call(function="in_crowd", arguments=(Literal(value=str(name)), *_)):
                    self.crowd(name)

    def _sql(self, text: str) -> None:
        tree = parsed(text)
        if not isinstance(tree, exp.Expression):
            self.every_type = True
            return
        tables = {table.name.lower() for table in tree.find_all(exp.Table)}
        texts = {literal.name for literal in tree.find_all(exp.Literal) if literal.is_string}
        self.fields.update(column.name for column in tree.find_all(exp.Column))
        if "rfm" in tables:
            self.types.update(self._purchases)
        if tables & _OF_EVENTS:
            self.types.update(texts)
            self.every_type |= not texts and tables != {"rfm"}
