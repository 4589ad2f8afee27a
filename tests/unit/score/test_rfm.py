"""The table rfm, against its definition in plain Python."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.measure.ask import Ask
from kairos.engine.measure.clock import Clock
from kairos.engine.measure.spec import Happening
from kairos.engine.score.purchases import purchases_sql
from kairos.engine.score.rfm import SEGMENTS, rfm_sql
from tests.measure_world import Happened, World

DAY = 86_400_000
AS_OF = 1_751_241_600_000


def asked(
    events: Sequence[Happened], as_of: int = AS_OF, purchase: Happening | None = None
) -> list[tuple[object, ...]]:
    world = World().events(events)
    ask = Ask(world.query, Clock.of("UTC", (), 0, as_of), as_of)
    return sorted(world.query(rfm_sql(purchases_sql(ask, purchase))))


def bought(user: str, amount: float | None, ago: int = 3 * DAY, type_: str = "purchase") -> Happened:
    return Happened(user, type_, AS_OF - ago, {} if amount is None else {"amount": amount})


def test_ties_share_a_score() -> None:
    amounts = {"a": 1, "b": 3, "c": 3, "d": 10, "e": 40}
    rows = asked([bought(user, amount) for user, amount in amounts.items()])
    assert [(user, m) for user, _, _, m, _ in rows] == [("a", 1), ("b", 2), ("c", 2), ("d", 4), ("e", 5)]
    assert {(r, f) for _, r, f, _, _ in rows} == {(1, 1)}


def test_one_buyer_has_nobody_to_be_compared_with() -> None:
    assert asked([bought("a", 7)]) == [("a", 1, 1, 1, "hibernating")]


def test_what_is_later_does_not_count() -> None:
    events = [bought("a", 1), bought("b", 2), bought("b", 900, ago=-1), bought("c", 5, ago=0)]
    assert [(user, m) for user, _, _, m, _ in asked(events)] == [("a", 1), ("b", 3), ("c", 5)]


def test_a_purchase_is_what_measures_yaml_says() -> None:
    events = [
        bought("a", 1),
        bought("b", 2, type_="order"),
        bought("c", 9, type_="order"),
        bought("d", 1, type_="order"),
    ]
    rows = asked(events, purchase=Happening(("order",), "amount > 1", "amount"))
    assert [row[0] for row in rows] == ["b", "c"]


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 9), st.sampled_from([None, 0, 0.1, 0.2, 0.3])),
                min_size=1, max_size=25))  # fmt: skip
@settings(max_examples=40)
def test_scores_are_those_of_the_definition(purchases: list[tuple[str, int, float | None]]) -> None:
    found = asked([bought(user, amount, ago * DAY) for user, ago, amount in purchases])
    of: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for user, ago, amount in purchases:
        of[user].append((-ago, round((amount or 0) * 10)))
    users = sorted(of)
    recency = _scores([max(ago for ago, _ in of[user]) for user in users])
    frequency = _scores([len(of[user]) for user in users])
    money = _scores([sum(amount for _, amount in of[user]) for user in users])
    expected = [
        (user, r, f, m, segment_of(r, f)) for user, r, f, m in zip(users, recency, frequency, money, strict=True)
    ]
    assert found == expected


def segment_of(r: int, f: int) -> str:
    return next(name for name, (recency, frequency) in SEGMENTS.items() if r in recency and f in frequency)


def _scores(values: Sequence[float]) -> list[int]:
    ordered = sorted(values)
    return [1 + min(4, 5 * bisect_left(ordered, value) // max(len(values) - 1, 1)) for value in values]


@pytest.mark.parametrize(("r", "f"), list(product(range(1, 6), repeat=2)))
def test_every_pair_of_scores_is_in_one_segment(r: int, f: int) -> None:
    assert [name for name, (rs, fs) in SEGMENTS.items() if r in rs and f in fs] == [segment_of(r, f)]
