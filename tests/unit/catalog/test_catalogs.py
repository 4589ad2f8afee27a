"""Catalogs in a run: who follows what, what reaches them of a change, and items where rules and texts read them."""

from __future__ import annotations

from collections import Counter

import pytest

from kairos.engine.catalog.changed import changed_id
from kairos.engine.catalog.item import HOUR, Follow, Item, apply, followed_by
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.model import RuleSet
from tests.engine_kit import DAY, decisions, events, ms, rules, run

PRODUCTS = (
    "products: {key: sku, fields: {price: number, stock: integer, title: string}, follow: {wish: 90d, view: 7d}%s}"
)
DROP = """
activity: drop
trigger: {event: catalog.changed, as: c, where: price < was_price}
data: {id: c.sku, now: c.price, was: c.was_price}
send: [{channel: sms, template: t}]
"""
ITEM = "catalog.item user=catalog catalog=products"
FIRST = "0s catalog.item user=catalog catalog=products sku=p1 price=100 stock=5 title=Lamp"


def shop(*activities: str, more: str = "", **texts: str) -> RuleSet:
    return rules(*activities or (DROP,), catalogs=PRODUCTS % more, templates=texts)


def test_a_change_reaches_followers_alone_with_the_items_fields_and_how_they_were() -> None:
    given = events(
        FIRST, "1h wish sku=p1", "1h view sku=p1 user=u2", "1h wish sku=p2 user=u3",
        f"2h {ITEM} sku=p1 price=80", f"3h {ITEM} sku=p1 price=90",
    )  # fmt: skip
    records = run(shop(), given)
    assert [(r.user_id, r.outcome, r.data) for r in records] == [
        ("u1", "send", {"id": "p1", "now": 80, "was": 100}),
        ("u2", "send", {"id": "p1", "now": 80, "was": 100}),
    ]
    assert {r.at for r in records} == {given[4].time}


def test_a_follower_follows_so_long_and_no_longer() -> None:
    back = DROP.replace("drop", "back").replace("price < was_price", "stock > 0 and was_stock == 0")
    stocks = ("7d59m59s999ms", 0), ("7d1h", 5), ("7d2h", 0), ("8d", 1)
    told = [f"{at} {ITEM} sku=p1 stock={stock}" for at, stock in stocks]
    given = events(FIRST, "1h view sku=p1", "59m59s view sku=p1 user=u2", "1d view sku=p1 user=u3", *told)
    assert decisions(shop(back), given, users=True) == ["7d1h back send sms u3"]


def test_a_first_load_an_equal_item_and_one_of_which_nothing_is_said_are_no_change() -> None:
    other = DROP.replace("drop", "any").replace(", where: price < was_price", "")
    given = events(
        "0s wish sku=p1", "1s" + FIRST[2:], "2s" + FIRST[2:],
        f"3s {ITEM} sku=p1 price=100.0 colour=red",
        f"4s {ITEM} sku=p1 price=cheap",
        "5s catalog.item user=x catalog=toys sku=p1 price=1",
        "6s catalog.item user=x catalog=products price=1",
    )  # fmt: skip
    assert decisions(shop(other), given) == []


def test_all_of_one_instant_is_one_change_and_whoever_follows_in_it_hears_of_it() -> None:
    given = events(
        FIRST, "1h catalog.item user=a catalog=products sku=p1 price=70 source=b",
        "1h catalog.item user=a catalog=products sku=p1 price=90 source=a", "1h wish sku=p1",
    )  # fmt: skip
    assert [(r.user_id, r.data["now"], r.data["was"]) for r in run(shop(), given)] == [("u1", 70, 100)]


def test_whoever_finds_no_room_does_not_follow_and_is_counted() -> None:
    rule_set = shop(more=", max_followers: 2")
    wishes = [f"1h wish sku=p1 user=u{n}" for n in range(1, 5)]
    given = events(FIRST, *wishes, f"2h {ITEM} sku=p1 price=80")
    simulation = Simulation(rule_set)
    assert [record.user_id for record in simulation.run(given)] == ["u1", "u2"]
    assert simulation.engine.counters["catalog_cut"] == 2


def test_room_comes_free_with_the_time_of_those_who_followed() -> None:
    item, followers, count = Item(), dict[str, int](), Counter[str]()
    words = [Follow(0, "u1", 100, 1), Follow(HOUR, "u2", HOUR + 1, 1), Follow(HOUR + 1, "u3", DAY, 1)]
    list(apply(item, followers, words, count))
    assert (followers, item.followers, count["catalog_cut"]) == ({"u2": HOUR + 1}, 1, 1)  # looked once an hour
    assert list(followed_by(followers, HOUR)) == ["u2"]
    assert list(followed_by(followers, HOUR + 1)) == []


def test_a_list_of_items_is_followed_each_and_numbers_and_text_name_one_item() -> None:
    given = events(
        "0s catalog.item user=a catalog=products sku=5 price=9", '1h wish sku=["5","6"]', "1h wish sku=5.0 user=u2",
        '2h catalog.item user=a catalog=products sku="5" price=8',
    )  # fmt: skip
    assert [record.user_id for record in run(shop(), given)] == ["u1", "u2"]


def test_items_make_nobody_known_and_changes_of_the_file_are_not_told_again() -> None:
    at = '{at: "2026-11-02T13:00", timezone: UTC}'
    blast = f"activity: all\ntrigger: {{schedule: {at}}}\nsend: [{{channel: sms, template: t}}]"
    change = changed_id("products", "p1", events("2h x")[0].time, "u1")
    given = events(
        FIRST, "10m wish sku=p1", f"2h {ITEM} sku=p1 price=80",
        f"2h catalog.changed id={change} source=kairos price=80 was_price=100",
    )  # fmt: skip
    assert decisions(shop(blast, DROP), given, users=True) == ["1h all send sms u1", "2h drop send sms u1"]


@pytest.mark.parametrize("as_arrived", [False, True])
def test_in_file_order_as_in_order(as_arrived: bool) -> None:
    given = events(FIRST, "1h wish sku=p1", f"2h {ITEM} sku=p1 price=80", "3h x")
    assert [(r.user_id, r.at) for r in run(shop(), given, as_arrived=as_arrived)] == [("u1", given[2].time)]


def test_expressions_read_an_item_as_it_is_at_that_time() -> None:
    cheap = """
activity: cheap
trigger: {event: order, as: o, where: "products[sku].price < 90"}
data: {title: "products[o.sku].title", none: "products['no'].title", whole: "products[o.sku].sku"}
send: [{channel: sms, template: t}]
"""
    given = events(
        FIRST, "1h order sku=p1", "2h catalog.item user=a catalog=products sku=p1 price=80", "2h order sku=p1"
    )
    records = run(shop(cheap), given)
    assert [(r.at - given[0].time, r.data) for r in records] == [
        (ms("2h"), {"title": "Lamp", "none": None, "whole": "p1"})
    ]


def test_texts_read_items_also_in_loops_and_the_delivery_carries_what_they_read() -> None:
    text = "{{ products[sku].title }} {% for i in also %}{{ products[i].price }},{% endfor %}"
    ask = "activity: ask\ntrigger: {event: order}\ndata: {sku: sku, also: also}\nsend: [{channel: sms, template: item}]"
    given = events(
        FIRST, "0s catalog.item user=a catalog=products sku=7 price=3", '1h order sku=p1 also=["p1",7]',
        "1h order sku=p9 user=u2 also=[]"
    )  # fmt: skip
    rule_set = shop(ask, **{"item.sms": text})
    assert decisions(rule_set, given, users=True) == ["1h ask send sms u1", "1h ask suppress missing_value u2"]
