"""measures.yaml: names of events, props and activities that do not exist, expressions, and what cannot be answered."""

from __future__ import annotations

from kairos.engine.expression.sql.pieces import NotInSql
from kairos.engine.expression.sql.to_sql import value_sql
from kairos.engine.measure.ask import EventColumns
from kairos.engine.measure.clock import Clock
from kairos.engine.rule.fields.measures import DAY, KINDS, START
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint import scopes
from kairos.engine.rule.lint.expressions import CONDITION, NUMBER, check_expression
from kairos.engine.rule.lint.references import check_name, check_prop, check_types
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report

# Under which key of which record the event types stand, and which keys beside it read those events.
_TYPE_KEYS = ("event", "active", "return", *START.choose)
_UTC = Clock.of("UTC", (), 0, 0)
_READERS = (("where", CONDITION), ("value", NUMBER))


def check_measures(
    value: Value, drafts: dict[str, Draft], activities: frozenset[str] | None, world: World, report: Report
) -> None:
    """`activities`: every name that may be meant; None: any, for a file could not be read."""
    _Check(drafts, activities, world, report).all(value)


class _Check:
    def __init__(
        self, drafts: dict[str, Draft], activities: frozenset[str] | None, world: World, report: Report
    ) -> None:
        self._drafts = {draft.name: draft for draft in drafts.values()}
        self._activities, self._world, self._report = activities, world, report

    def all(self, value: Value) -> None:
        if purchase := value.find("purchase"):
            self._part(purchase)
        if coupon := value.find("costs", "coupon"):
            if part := coupon.find("redeemed_by"):
                self._part(part)
            if (redeemed := coupon.find("redeemed_by", "event")) and (cost := coupon.find("value")):
                self._expression(cost, "value", redeemed, NUMBER)
        measures = value.find("measures")
        for _, entry in measures.items() if measures else ():
            kind = next((name for name in KINDS if name in entry), None)
            if kind is not None:
                self._measure(kind, entry[kind], value)

    def _measure(self, kind: str, value: Value, whole: Value) -> None:
        self._part(value)
        for key in ("start", "conversion", "or"):
            if part := value.find(key):
                self._part(part)
        if activity := value.find("activity"):
            check_name(activity, "activity", "activity", self._activities, self._report, "activities/")
        if kind == "matching":
            self._matching(value)
        elif kind == "lift":
            self._lift(value)
        elif kind == "money":
            self._money(value, whole)
        elif kind == "retention":
            self._retention(value)
        elif kind == "attribution" and (touch := value.find("touch")) and not touch.keys:
            self._report.error(touch.node, "missing-key", "touch: one of delivered or clicked is missing")
        elif kind == "repurchase" and (within := value.find("within")) and within.data % DAY:
            self._report.error(within.node, "bad-duration", "within: expected whole days", "60d")

    def _part(self, part: Value) -> None:
        """A record with its event types, and what reads those events beside them."""
        for key in _TYPE_KEYS:
            types = part.find(key)
            if types is None:
                continue
            check_types(types, key, self._world, self._report)
            for field, wanted in _READERS:
                if expression := part.find(field):
                    self._expression(expression, field, types, wanted)
            props = self._world.props([type_.data for type_ in types.each()])
            if (place := part.find("place")) and props is not None:
                check_prop(place, "place", props, self._report)

    def _expression(self, value: Value, field: str, types: Value, wanted: tuple[str, ...]) -> None:
        names = scopes.measure_names([type_.data for type_ in types.each()], self._world)
        checked = check_expression(value, field, names, self._world, self._report, wanted)
        if checked is not None:
            try:
                value_sql(checked.expression.tree, EventColumns(_UTC))
            except NotInSql as error:
                self._report.error(value.node, "not-in-sql", f"{field}: {error}")

    def _matching(self, value: Value) -> None:
        if group := value.find("group"):
            check_name(group, "group", "group", self._world.group_names, self._report, "policy.yaml")
        policy = value.find("policy")
        if policy and policy.data not in ("best", "even"):
            check_name(policy, "policy", "activity", self._activities, self._report, "activities/")

    def _lift(self, value: Value) -> None:
        metric = value.find("metric")
        if metric is None:
            self._needs_goal(value, "metric")
        else:
            self._metric(metric)
        if "within" not in value.keys and metric is not None:
            self._needs_goal(value, "within")

    def _metric(self, metric: Value) -> None:
        types = metric.find("of") or metric.find("rate") or metric.find("count")
        if "sum" in metric and "of" not in metric.keys:
            message = "sum: 'of' is missing: the events whose number it is"
            self._report.error(metric.keys["sum"], "missing-key", message, "of: purchase")
        if "sum" not in metric and "of" in metric.keys:
            self._report.error(metric.keys["of"], "wrong-form", "'of' goes with 'sum' only")
        if types is None:
            return
        check_types(types, "metric", self._world, self._report)
        for field, wanted in (("where", CONDITION), ("sum", NUMBER)):
            if expression := metric.find(field):
                self._expression(expression, field, types, wanted)

    def _money(self, value: Value, whole: Value) -> None:
        if "purchase" not in whole.keys:
            message = "money: nothing says what a purchase is"
            self._report.error(value.node, "missing-key", message, "purchase: {event: purchase, value: amount}")
        if "within" not in value.keys:
            self._needs_goal(value, "within")

    def _needs_goal(self, value: Value, missing: str) -> None:
        activity = value.find("activity")
        draft = self._drafts.get(activity.data) if activity else None
        if draft is not None and "goal" not in draft.source.keys:
            message = f"'{missing}' is missing, and activity '{draft.name}' has no goal to take it from"
            self._report.error(value.node, "missing-key", message, f"write {missing}, or give the activity a goal")

    def _retention(self, value: Value) -> None:
        if not any(value.plain(key) for key in ("days", "unbounded", "brackets")) and not value.broken:
            self._report.error(value.node, "missing-key", "retention: one of days, unbounded or brackets is missing")
        brackets = value.find("brackets")
        for bracket in brackets.each() if brackets else ():
            low, high = bracket.each()[0].data, bracket.each()[-1].data
            if low > high:
                self._report.error(bracket.node, "reversed", f"brackets: {low} is after {high}", f"[{high}, {low}]")
