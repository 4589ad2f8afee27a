"""Two sets of rules compared field by field: what means the same is no difference, however it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from kairos.engine.rule.model import RuleSet


class Difference(msgspec.Struct, frozen=True):
    """`field`: as "activities.cart_left.limits.caps". None: it is not there."""

    field: str
    before: Any
    after: Any


def differences(before: RuleSet, after: RuleSet) -> list[Difference]:
    """In the order of their fields."""
    return list(_between("", msgspec.to_builtins(before), msgspec.to_builtins(after)))


def _between(path: str, one: Any, two: Any) -> Iterator[Difference]:
    if one == two:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two}):
            yield from _between(f"{path}.{key}" if path else key, one.get(key), two.get(key))
    elif isinstance(one, list | tuple) and isinstance(two, list | tuple) and len(one) == len(two):
        for place, (a, b) in enumerate(zip(one, two, strict=True)):
            yield from _between(f"{path}.{place}", a, b)
    else:
        yield Difference(path, one, two)
