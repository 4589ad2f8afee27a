"""Lookalikes: the hidden kind is found, what helps nobody is refused, and what says who is a seed is not looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.warehouse.opening import open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.measure.ask import Ask
from kairos.engine.measure.clock import Clock
from kairos.engine.score.features import MOST, Barred, Feature, features_of
from kairos.engine.score.likeness import nearest_recall
from kairos.engine.score.purchases import purchases_sql
from kairos.engine.score.rfm import rfm_sql
from kairos.usecases.people.lookalike import Alike, RefusedError, Wanted, find_alike, fit_likeness
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill

USERS, KIND = 1_500, 400
AS_OF = NOON


class Shop:
    """Users of whom some are of a kind: they view wine, before or after `AS_OF`; half of the kind are the seeds."""

    def __init__(self, folder: Path, *, after: bool = False) -> None:
        chance = random.Random(7)
        users = [f"u{n:04d}" for n in range(USERS)]
        kind = chance.sample(users, KIND)
        self.seeds, self.hidden = set(kind[: KIND // 2]), set(kind[KIND // 2 :])
        events: list[dict[str, Any]] = []

        def add(user: str, type_: str, days: float, **props: Any) -> None:
            events.append(event(f"e{len(events)}", AS_OF - int(days * DAY), type=type_, user_id=user, props=props))

        for user in users:
            add(user, "purchase", 1 + 90 * chance.random(), amount=chance.randint(1, 90))
            for _ in range(chance.randint(2, 5)):
                add(user, "view", 1 + 90 * chance.random(), category=chance.choice(["books", "toys", "wine"]))
            for _ in range(4 if user in kind else 0):
                add(user, "view", -20 * chance.random() if after else 1 + 20 * chance.random(), category="wine")
        profiles = {user: {"tier": "gold" if user in self.seeds else "none", "age": chance.randint(18, 80)}
                    for user in users}  # fmt: skip
        fill(folder, events=events, profiles=profiles)
        self.engine: Engine = open_engine(folder)
        ask = Ask(lambda sql: self.engine.query(sql).rows, Clock.of("UTC", (), 0, AS_OF), AS_OF)
        self.rfm = rfm_sql(purchases_sql(ask))

    def wanted(self, barred: Barred, excluded: frozenset[str] = frozenset()) -> Wanted:
        return Wanted("vip", self.seeds, AS_OF, self.rfm, barred, excluded)

    def alike(self, size: int, barred: Barred, excluded: frozenset[str] = frozenset()) -> list[Alike]:
        return find_alike(self.engine, self.wanted(barred, excluded), size)[0]


TIER = Barred(fields=frozenset({"tier"}))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop") / "w")
    yield made
    made.engine.close()


def test_the_hidden_kind_is_found_with_its_reasons(shop: Shop) -> None:
    found = shop.alike(100, TIER)
    assert len(found) == 100
    assert len(shop.hidden & {one.user_id for one in found}) > 80
    assert not shop.seeds & {one.user_id for one in found}
    assert [one.rank for one in found] == list(range(1, 101))
    assert all(0 <= one.score <= 1 for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert "more view with category wine" in found[0].reasons
    assert all(1 <= len(one.reasons) <= 3 for one in found[:50])


def test_a_second_run_finds_the_same_and_a_smaller_size_some_of_them(shop: Shop) -> None:
    found = shop.alike(100, TIER)
    assert shop.alike(100, TIER) == found
    assert shop.alike(40, TIER) == found[:40]


def test_who_is_excluded_is_not_found_and_changes_nothing_else(shop: Shop) -> None:
    found = shop.alike(100, TIER)
    excluded = frozenset(one.user_id for one in found[:30])
    assert [one.user_id for one in shop.alike(70, TIER, excluded)] == [one.user_id for one in found[30:]]


def test_what_says_who_is_a_seed_is_not_looked_at(shop: Shop) -> None:
    """With it the model would know the seeds by what made them seeds, and nobody else."""
    props = [{feature.prop for feature in fit_likeness(shop.engine, shop.wanted(barred), 100)[0].features}
             for barred in (Barred(), TIER)]  # fmt: skip
    assert [("tier" in found, "age" in found) for found in props] == [(True, True), (False, True)]


@pytest.mark.parametrize("types", [frozenset({"view"}), frozenset({"view", "purchase"})])
def test_a_model_that_helps_nobody_is_refused(shop: Shop, types: frozenset[str]) -> None:
    with pytest.raises(RefusedError, match=r"finds .*%, less than"):
        shop.alike(400, Barred(types, frozenset({"tier"})))


def test_nothing_to_look_at_is_refused(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="nothing is known of users beside what says who is in vip"):
        shop.alike(100, Barred(fields=frozenset({"tier", "age"}), every_type=True))


def test_too_few_seeds_are_refused(shop: Shop) -> None:
    wanted = Wanted("few", [*sorted(shop.seeds)[:9], "nobody"], AS_OF, shop.rfm)
    with pytest.raises(RefusedError, match="the crowd few has 9 members with a past; a model takes 10"):
        find_alike(shop.engine, wanted, 100)


def test_what_happened_later_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="less than"):
        Shop(tmp_path / "w", after=True).alike(400, TIER)


def test_recall_of_nearness_counts_the_share_that_fits_in_at_the_border() -> None:
    rfm = {"s": (5, 5, 5), "a": (5, 5, 5), "b": (1, 1, 1), "c": (1, 1, 1)}
    assert nearest_recall(rfm, ["s"], ["a", "b"], ["c", "d"], 1) == 0.5
    assert nearest_recall(rfm, ["s"], ["a", "b"], ["c", "d"], 2) == (1 + 0.5) / 2
    assert nearest_recall(rfm, ["s"], ["a", "b"], ["c", "d"], 4) == 1
    assert nearest_recall({}, ["s"], ["a"], ["b", "c", "d"], 1) == 0.25


def test_a_model_does_not_look_at_what_is_kairos_own_nor_at_more_than_it_can_hold() -> None:
    events = [(f"u{n % 3}", f"type{n % 200}", {"p": f"v{n}", "n": n, "yes": True}) for n in range(2_000)]
    events += [(f"u{n}", "message.sent", {}) for n in range(9)]
    profiles = [{"crowds": '["vip"]', "phone": "hash", "score_x": 0.5, "city": "Rome"}] * 3
    types = {"user_id": "VARCHAR", "crowds": "VARCHAR", "phone": "VARCHAR", "score_x": "DOUBLE", "city": "VARCHAR"}
    found = features_of(events, profiles, types, Barred())
    assert len(found) == MOST
    assert not any(feature.of == "message.sent" for feature in found)
    assert [feature for feature in found if not feature.of] == [Feature("category", "", "city", "Rome")]
