"""Which names of an activity's data are codes of coupons."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.expression import parse
from kairos.engine.expression.tree import Code
from kairos.engine.rule.model import Activity


def codes_in_data(data: Mapping[str, str]) -> dict[str, str]:
    """Name -> the pool that its code is taken from. `data`: name -> expression, linted."""
    trees = {name: parse(text).tree for name, text in data.items()}
    return {name: tree.pool for name, tree in trees.items() if isinstance(tree, Code)}


def codes_of(activity: Activity) -> dict[str, str]:
    """The codes in the data of all messages of the activity: name -> pool."""
    texts = dict(activity.data)
    for send in activity.sends:
        texts |= send.data
    return codes_in_data(texts)
