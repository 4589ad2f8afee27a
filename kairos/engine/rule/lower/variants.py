"""The variants of an activity: weights as written, or as learned where the best of them is looked for."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lower.sends import lower_sends
from kairos.engine.rule.model import Best, Variant

Weights = Mapping[str, float]
"""Variant -> weight, relative to the others."""

DIGITS = 6
"""Of a share. Weights are part of an activity's version, so no rounding error may change them."""


def variants_in(source: Value) -> list[Value]:
    """The variants of an activity's file, written either way."""
    value = source.find("variants")
    if value is not None and isinstance(value.data, dict):
        value = value.find("of")
    return value.each() if value is not None else []


def lower_variants(source: Value, learned: Weights) -> tuple[Variant, ...]:
    """As many as can be read: what is broken is already reported."""
    best = lower_best(source)
    keys = ("name", "send") if best else ("name", "weight", "send")
    readable = [entry for entry in variants_in(source) if all(key in entry for key in keys)]
    if best is None:
        return tuple(Variant(v.plain("name"), v.plain("weight"), lower_sends(v["send"])) for v in readable)
    shares = shares_of([v.plain("name") for v in readable], learned, best.explore)
    return tuple(Variant(v.plain("name"), shares[v.plain("name")], lower_sends(v["send"])) for v in readable)


def lower_best(source: Value) -> Best | None:
    value = source.find("variants")
    if value is None or not isinstance(value.data, dict):
        return None
    prior = value.find("prior")
    if prior is None or not {"rate", "users"} <= prior.data.keys():
        return Best(value.plain("explore"))
    return Best(value.plain("explore"), prior.plain("rate"), prior.plain("users"))


def shares_of(names: list[str], learned: Weights, explore: float) -> Weights:
    """Even, until something was learned of exactly these variants; and `explore` of the users stay spread evenly."""
    even = 1 / len(names) if names else 0
    if learned.keys() != set(names):
        return {name: round(even, DIGITS) for name in names}
    whole = sum(learned.values())
    return {name: round(explore * even + (1 - explore) * learned[name] / whole, DIGITS) for name in names}
