"""Plans on the console: what is ready, what it lacks here and has brought, and the files that come of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette

from kairos.apps.console.process import console_of
from kairos.usecases.control.deeds import deeds
from tests.unit.api.conftest import URL
from tests.unit.console.conftest import Reader
from tests.unit.console.world import HOSTILE, drafts
from tests.unit.control.desk import Desk

PLAN = """plan: second_visit
title: Comes a second time
why: Whoever comes twice may buy.
theme: shop
parameters:
  wait: {type: duration, range: [1m, 1h], default: 5m, title: so long nothing else happens}
  word: {type: string, default: Hello}
evidence:
  lift: 0.031
  interval: [0.01, 0.052]
  n: 12000
  as_of: 2026-11-01
  of: {nudge: {lift: 0.031, n: 7000, interval: [0.004, 0.058]}, old: {lift: 0.029, n: 5000}}
activity:
  title: Comes a second time
  trigger:
    pattern: [{event: visit}, {absent: order, within: {$: wait}}]
  data: {word: {$: word, literal: true}}
  send: [{channel: email, template: second_visit}]
templates:
  second_visit.email: |
    Subject: {{ word }}

    Hello
tests:
  profiles: {u1: {email: u1@example.com}}
  tests:
    - name: the message
      events: [{at: 0s, visit: {user_id: u1}}]
      expect: [{at: {$: wait}, outcome: send, channel: email}]
"""


@pytest.fixture
def app(desk: Desk, tmp_path: Path) -> Starlette:
    """With one plan."""
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "second_visit.yaml").write_text(PLAN)
    return console_of(drafts(desk, tmp_path, URL), lambda: desk.now)


@pytest.fixture
def ann(signed_in: Callable[[str], Reader]) -> Reader:
    return signed_in("ann")


def test_a_plan_says_what_it_has_brought_and_what_it_lacks(ann: Reader) -> None:
    listed, one = ann.get("/plans").text, ann.get("/plans/second_visit").text
    assert "Comes a second time" in listed
    assert "+3.1" in listed
    assert "12,000" in listed
    assert "+3.1 points (+0.4 … +5.8), 7,000 users" in one
    assert "+2.9" not in one  # what has no interval is no effect to be read
    assert "5,000 users; " in one
    assert 'name="set.wait" value="5m"' in one
    assert "1m … 1h" in one
    assert "pattern:" in one
    assert ann.get("/plans/nothing").status_code == 404


def test_what_it_becomes_is_shown_before_it_is_written(ann: Reader, tmp_path: Path) -> None:
    said = ann.press("/plans/second_visit/made", csrf=ann.csrf("/"), **{"set.wait": "15m", "as": "again"})
    assert "activities/shop/again.yaml" in said.text
    assert "--set wait=15m --as again" in said.text
    assert 'formaction="/plans/second_visit/use"' in said.text
    assert not (tmp_path / "drafts" / "activities" / "shop" / "again.yaml").exists()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"set.wait": "3d"}, "expected 1m to 1h"),
        ({"as": "Again!"}, "expected names"),
        ({"as": "nudge"}, "already there"),
    ],
)
def test_what_cannot_be_made_says_why_and_keeps_what_was_typed(form: dict[str, str], words: str, ann: Reader) -> None:
    said = ann.press("/plans/second_visit/made", csrf=ann.csrf("/"), **form, **{"set.word": HOSTILE})
    assert words in said.text
    assert HOSTILE not in said.text
    assert "&lt;script&gt;" in said.text
    assert "formaction" not in said.text


def test_its_files_are_written_and_stand_in_the_log(ann: Reader, desk: Desk, tmp_path: Path) -> None:
    said = ann.press("/plans/second_visit/use", csrf=ann.csrf("/"), **{"set.wait": "15m", "as": "again"})
    assert said.headers["Location"] == "/write?file=activities%2Fshop%2Fagain.yaml"
    assert "within: 15m" in (tmp_path / "drafts" / "activities" / "shop" / "again.yaml").read_text()
    assert deeds(desk.store, "file/activities/shop/again.yaml")[0].actor == "ann"
    assert '<a href="/activities/again">again</a>' in ann.get("/plans").text


def test_a_newer_version_is_offered_and_taken_over(ann: Reader, tmp_path: Path) -> None:
    ann.press("/plans/second_visit/use", csrf=ann.csrf("/"))
    (tmp_path / "plans" / "second_visit.yaml").write_text(PLAN.replace("absent: order", "absent: visit"))
    text = ann.get("/plans/second_visit").text
    assert "the plan says something else by now" in text
    ann.press("/plans/second_visit/upgrade", csrf=ann.csrf("/"), activity="second_visit")
    assert "absent: visit" in (tmp_path / "drafts" / "activities" / "shop" / "second_visit.yaml").read_text()
    again = ann.press("/plans/second_visit/upgrade", csrf=ann.csrf("/"), activity="second_visit")
    assert again.status_code == 422


def test_who_may_not_write_uses_none(signed_in: Callable[[str], Reader], tmp_path: Path) -> None:
    vic = signed_in("vic")
    assert "takes the right to write" in vic.get("/plans/second_visit").text
    assert vic.press("/plans/second_visit/use", csrf=vic.csrf("/")).status_code == 403
    assert vic.press("/plans/second_visit/made", csrf=vic.csrf("/")).status_code == 403
    assert list((tmp_path / "drafts").rglob("second_visit*")) == []
