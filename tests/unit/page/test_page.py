"""The page needs nothing but itself, hides nothing, and every number on it leads to what it means."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from kairos.apps.page.definitions import FIELDS, KINDS
from kairos.apps.page.numbers import share
from kairos.apps.page.page import _PANELS, render
from kairos.apps.page.verdict import LABELS, verdict
from tests.unit.page.sample import AS_OF, lift, reach, section, sections


class Page(HTMLParser):
    """Tags that fit together, the ids, and where links lead to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []
        self.targets |= {given["href"]} if given.get("href") else set()
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_it_needs_nothing_else_and_is_whole() -> None:
    html = render(sections())
    page = Page(html)
    assert page.open == []
    assert not re.search(r"<script|<link|<img|\bsrc=|url\(|@import|https?:", html)
    assert {target for target in page.targets if not target.startswith("#")} == set()


def test_every_link_leads_to_something_and_no_name_is_there_twice() -> None:
    page = Page(render(sections()))
    assert {target.removeprefix("#") for target in page.targets} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {f"is-{name}" for name in (*KINDS, *FIELDS)} <= set(page.ids)


def test_every_kind_is_shown() -> None:
    assert {*_PANELS, "attribution"} == set(KINDS)
    assert {part["kind"] for part in sections()} == set(KINDS)


def test_the_same_answers_give_the_same_bytes() -> None:
    assert render(sections()) == render(sections())


def test_what_is_said_is_there() -> None:
    text = Page(render(sections())).text
    for part in sections():
        assert part["measure"] in text
        for note in part["notes"]:
            assert note in text
        assert part["sql"][0] in text
    assert "As of 2025-11-09 00:00 UTC" in text


def test_every_loss_has_its_reason() -> None:
    text = Page(render([reach("cart_left")])).text
    for lost in ("control 120", "unreachable 80", "quiet hours 200", "cap:marketing 90", "budget 10"):
        assert lost in text


def test_no_name_of_the_rules_becomes_a_tag() -> None:
    hostile = '<script>alert("1")</script>'
    parts = [
        lift(hostile, (5, 20), (9, 20)),
        section("visits", "visits", [{"place": hostile, "visits": 1, "visitors": 1, "per_visitor": 1.0}]),
        section(
            "retention",
            "retention",
            [{"week": hostile, "day": day, "starters": 2, "returned": 1, "rate": 0.5} for day in (0, 1)],
        ),
        section(
            "lifecycle", "lifecycle", [{"period": hostile, "new": 1, "returning": 0, "resurrecting": 0, "dormant": 0}]
        ),
    ]
    html = render(parts, title=hostile)
    assert "<script" not in html
    assert Page(html).open == []


def test_a_warehouse_without_anything_is_a_page_too() -> None:
    assert Page(render([])).open == []


def test_no_effect_of_an_unsound_split_is_shown() -> None:
    unsound = lift("lost_half", (50, 500), (50, 300), shares={"control": 0.5, "treated": 0.5})
    html = render([unsound])
    assert "no effect is shown" in html
    assert "+6.7" not in html
    assert "<svg" not in html


@pytest.mark.parametrize(
    ("part", "status", "said"),
    [
        (lift("a", (60, 400), (1_330, 6_000)), "better", "+7.2 points (+3.5 … +10.8) beyond what happens anyway."),
        (lift("a", (500, 5_000), (300, 5_000)), "worse", "−4.0 points (−5.1 … −2.9) beyond what happens anyway."),
        (
            lift("a", (50, 200), (210, 800)),
            "open",
            "Not told yet: −10.3 … +12.8 points. Less than 9.6 would not show yet.",
        ),
        (lift("a", (0, 0), (20, 300)), "too_few", "No control group"),
        (lift("a", (0, 0), (20, 80), immature=40), "too_few", "Nothing yet: 0 control users, 80 treated."),
        (lift("a", (1, 2), (3, 6)), "open", "Not told yet: −100.0 … +100.0 points."),
        (lift("a", (0, 0), (0, 0), immature=40), "too_few", "For 40 users the time to see it is not over"),
        (lift("a", (0, 0), (0, 0), immature=40), "too_few", "of the last it ends at 2025-11-10 00:00 UTC."),
        (lift("a", (0, 1), (3, 9)), "too_few", "1 control users, 9 treated"),
        (lift("a", (0, 10), (0, 10)), "too_few", "all users of both arms did the same"),
    ],
)
def test_verdicts(part: dict[str, Any], status: str, said: str) -> None:
    row = part["rows"][-1]
    assert row["status"] == status
    assert said in verdict(row)
    assert LABELS[status]


def test_as_of_may_be_text() -> None:
    part = {**reach("a"), "as_of": "2025-11-09T00:00:00.000Z"}
    assert "As of 2025-11-09T00:00:00.000Z" in Page(render([part])).text
    assert reach("a")["as_of"] == AS_OF


def test_more_who_bought_than_clicked_are_no_share_of_them() -> None:
    """Many buy without a click: the goal's step has no interval then, and the page is drawn."""
    assert share(120, 90) == "133.3%"
    assert share(45, 90) == "50.0% (39.9% … 60.1%)"
