"""measures.yaml becomes measures."""

from __future__ import annotations

from kairos.engine.measure.spec import (
    DAY,
    Activation,
    Attribution,
    Churn,
    Costs,
    Happening,
    Lifecycle,
    Lift,
    Matching,
    Measure,
    Measures,
    Money,
    Reach,
    Repurchase,
    Retention,
    Start,
    Visits,
)
from kairos.engine.rule.fields.measures import COSTS, KINDS, METRIC, START
from kairos.engine.rule.fields.reading.value import Value


def lower_measures(value: Value) -> Measures:
    """The value is whole: nothing of it is broken."""
    purchase, costs, measures = value.find("purchase"), value.find("costs"), value.find("measures")
    return Measures(
        currency=value.plain("currency"),
        costs=_costs(costs) if costs else Costs(),
        margin=value.plain("margin"),
        purchase=_happening(purchase) if purchase else None,
        measures={name: _measure(entry) for name, entry in measures.items()} if measures else {},
    )


def _happening(value: Value, key: str = "event") -> Happening:
    """`key`: under which the types stand."""
    value_of, place = value.find("value"), value.find("place")
    where = value.find("where")
    return Happening(
        tuple(value[key].unwrap()),
        where.data if where else None,
        value_of.data if value_of else None,
        place.data if place else None,
    )


def _costs(value: Value) -> Costs:
    messages = {}
    for declared in COSTS.fields:
        price = value.find(declared.name)
        if price is not None and declared.name != "coupon":
            segment = price.find("per_segment")
            messages[declared.name] = (segment.data, True) if segment else (price.data, False)
    coupon = value.find("coupon")
    if coupon is None:
        return Costs(messages)
    redeemed = _happening(coupon["redeemed_by"])
    return Costs(messages, Happening(redeemed.types, redeemed.where, coupon["value"].data))


def _measure(entry: Value) -> Measure:
    kind = next(name for name in KINDS if name in entry)
    value = entry[kind]
    match kind:
        case "reach":
            return Reach(value.plain("activity"))
        case "lift":
            return _lift(value)
        case "retention":
            brackets = tuple((low, high) for low, high in value.plain("brackets"))
            days, unbounded = tuple(value.plain("days")), tuple(value.plain("unbounded"))
            back = _happening(value, "return")
            return Retention(_start(value["start"]), back, days, unbounded, brackets, value.plain("mode"))
        case "activation":
            return Activation(_start(value["start"]), _happening(value), value.plain("within"), value.plain("times"))
        case "lifecycle":
            return Lifecycle(_happening(value, "active"), value.plain("period"))
        case "churn":
            return Churn(_happening(value, "active"), value.plain("after"))
        case "repurchase":
            return Repurchase(_happening(value), value.plain("within") // DAY)
        case "visits":
            other = value.find("or")
            gap, dwell, again = (value.plain(key) for key in ("gap", "dwell", "again_after"))
            return Visits(_happening(value), gap, dwell, again, _happening(other) if other else None)
        case "attribution":
            models = tuple(value.plain("models"))
            touch: dict[str, int] = value["touch"].unwrap()
            return Attribution(_happening(value["conversion"]), touch, models, value.plain("half_life"))
        case "matching":
            return Matching(value.plain("group"), value.plain("policy"), _happening(value), value.plain("within"))
        case _:
            return Money(value.plain("activity"), value.plain("within"))


def _lift(value: Value) -> Lift:
    rest = (value.plain("within"), value.plain("cuped"), value.plain("decide_at"))
    metric = value.find("metric")
    if metric is None:
        return Lift(value.plain("activity"), "goal", None, *rest)
    kind = next(name for name in METRIC.choose if name in metric)
    if kind != "sum":
        return Lift(value.plain("activity"), kind, _happening(metric, kind), *rest)  # type: ignore[arg-type]
    where = metric.find("where")
    summed = Happening(tuple(metric["of"].unwrap()), where.data if where else None, metric["sum"].data)
    return Lift(value.plain("activity"), "sum", summed, *rest)


def _start(value: Value) -> Start:
    kind = next(name for name in START.choose if name in value)
    return Start(kind, _happening(value, kind))  # type: ignore[arg-type]
