"""What the sends of a run would have cost, as measures.yaml prices them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from kairos.engine.compare.report import Sent
from kairos.engine.measure.spec import Measures

_DIGITS = 6


class Spent(msgspec.Struct, frozen=True):
    """Of A and of B, in the currency of measures.yaml."""

    currency: str
    a: float
    b: float
    channels: list[SpentOn]


class SpentOn(msgspec.Struct, frozen=True):
    channel: str
    a: float
    b: float


def cost_of(sends: Mapping[str, int], measures: Measures) -> float | None:
    """`sends`: channel -> number; a text message counts as one segment. None: nothing has a price."""
    prices = measures.costs.messages
    if not prices:
        return None
    return round(sum(prices[channel][0] * number for channel, number in sends.items() if channel in prices), _DIGITS)


def spent_on(sends: Iterable[Sent], a: Measures, b: Measures) -> Spent | None:
    """A side that has no prices, as a release has none, goes by those of the other. None: neither has."""
    both = [each if each.costs.messages else other for each, other in ((a, b), (b, a))]
    channels = []
    for sent in sends:
        of_a, of_b = (cost_of({sent.channel: n}, each) for n, each in zip((sent.a, sent.b), both, strict=True))
        if of_a is None or of_b is None:
            return None
        if of_a or of_b:
            channels.append(SpentOn(sent.channel, of_a, of_b))
    if not both[0].costs.messages:
        return None
    whole = [round(sum(getattr(one, side) for one in channels), _DIGITS) for side in "ab"]
    return Spent(both[1].currency, whole[0], whole[1], channels)
