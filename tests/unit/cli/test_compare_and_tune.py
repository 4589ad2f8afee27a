"""`kairos compare` and `kairos tune`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.rules.store_folder import FolderRuleStore
from kairos.engine.rule.release import activity_version
from tests.unit.cli.cli_kit import MINUTE, START, order, run, write_events

HOUR = 60 * MINUTE
POLICY = """timezone: UTC
default_caps: [marketing]
caps:
  marketing:
    rules: [{max: 3, per: 1d}]   # a comment that stays
    on_exceed: drop
"""
CAP = "policy.caps.marketing.rules.0.max"


@pytest.fixture
def capped(rules: Path) -> Path:
    (rules / "policy.yaml").write_text(POLICY)
    return rules


@pytest.fixture
def three_orders(tmp_path: Path) -> Path:
    return write_events(tmp_path, *(order(number, number * HOUR) for number in range(3)))


def compared(*arguments: object, exit_code: int = 1) -> dict[str, Any]:
    result = run("compare", *arguments, "--format", "json")
    assert result.exit_code == exit_code, result.stderr
    return json.loads(result.stdout)


def test_the_sends_in_the_way_of_a_removed_one_are_named(capped: Path, three_orders: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = compared(capped, capped, three_orders, "--set", f"B:{CAP}=2", "--out", out)
    (row,) = report["activities"]
    assert (row["same"], row["removed"], row["sends_a"], row["sends_b"]) == (2, 1, 3, 2)
    assert report["causes"] == [{"class": "removed", "cause": "cap:marketing", "n": 1}]
    assert report["peaks"] == [{"channel": "sms", "a": 1, "b": 1}]
    assert report["pressure"] == [{"cap": "marketing", "held_a": 0, "held_b": 0, "refused_a": 0, "refused_b": 1}]
    assert report["costs"] is None, "nothing has a price"
    (told,) = map(json.loads, (out / "differences.jsonl").read_text().splitlines())
    assert (told["a"]["outcome"], told["b"]["reason"]) == ("send", "cap:marketing")
    assert [one["at"] for one in told["displaced_by"]] == [START + n * HOUR + 10 * MINUTE for n in range(2)]


def test_without_differences_it_says_so(capped: Path, three_orders: Path) -> None:
    report = compared(capped, capped, three_orders, exit_code=0)
    assert report["a"] == report["b"]
    assert report["activities"][0]["same"] == 3


def test_only_what_lies_in_the_span_counts(capped: Path, three_orders: Path) -> None:
    span = ("--from", "2025-11-22T03:25:00Z", "--to", "2025-11-22T04:25:00Z")
    report = compared(capped, capped, three_orders, *span, exit_code=0)
    assert report["activities"][0]["sends_a"] == 1
    coverage = report["coverage"]
    assert (coverage["events"], coverage["warmed_up"]) == (3, False)
    assert coverage["warm_up"] == 24 * HOUR + 10 * MINUTE


def test_a_longer_wait_moves_what_it_does_not_remove(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0), order(2, 0, user="u2"), order(2, 12 * MINUTE, "u2", "order_paid"))
    report = compared(rules, rules, events, "--set", "B:activities.order_unpaid.within=15m")
    assert {(c["class"], c["cause"]) for c in report["causes"]} == {("moved", "trigger"), ("removed", "trigger")}


def test_another_text_is_another_message(rules: Path, three_orders: Path, tmp_path: Path) -> None:
    other = shutil.copytree(rules, tmp_path / "other")
    (other / "templates" / "unpaid.sms.liquid").write_text("Order {{ order_id }} still waits.\n")
    assert compared(rules, other, three_orders)["causes"] == [{"class": "reworded", "cause": "template", "n": 3}]
    assert run("compare", rules, other, three_orders).stdout.count("  send sms, in other words\n") == 3
    path = other / "activities/orders/order_unpaid.yaml"
    path.write_text(path.read_text().replace("template: unpaid", "template: another"))
    (other / "templates/unpaid.sms.liquid").rename(other / "templates/another.sms.liquid")
    assert run("compare", rules, other, three_orders).stdout.count("  send sms unpaid -> another\n") == 3


def test_an_activity_that_is_gone_is_the_cause(rules: Path, three_orders: Path, tmp_path: Path) -> None:
    other = shutil.copytree(rules, tmp_path / "other")
    text = (rules / "activities/orders/order_unpaid.yaml").read_text()
    (other / "activities/orders/order_unpaid.yaml").unlink()
    (other / "activities/orders/order_unpaid.test.yaml").unlink()
    (other / "activities/orders/another.yaml").write_text(text.replace("order_unpaid", "another"))
    causes = compared(rules, other, three_orders)["causes"]
    assert causes == [{"class": kind, "cause": "activity", "n": 3} for kind in ("added", "removed")]


def test_a_release_and_a_version_of_one_activity(capped: Path, three_orders: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'rules.db'}"
    text = capped / "activities/orders/order_unpaid.yaml"
    first = activity_version(FolderRuleStore(str(capped)).latest(0).rules.activities["order_unpaid"])
    assert run("publish", capped, "--store", store).exit_code == 0
    text.write_text(text.read_text().replace("within: 10m", "within: 5m"))
    (capped / "activities/orders/order_unpaid.test.yaml").unlink()
    assert run("publish", capped, "--store", store).exit_code == 0
    assert compared(f"{store}@1", f"{store}@2", three_orders)["activities"][0]["moved"] == 3
    back = compared(f"order_unpaid@{first}", f"{store}@1", three_orders, "--store", store, exit_code=0)
    assert back["activities"][0]["same"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "B:policy.caps.nothing.rules.0.max=2"], "there is no 'nothing'"),
        (["--set", "B:policy.caps.marketing.rules.7.max=2"], "there is no entry 7"),
        (["--set", f"B:{CAP}=none"], "policy.yaml:5:"),
        (["--set", f"{CAP}=2"], "expected A:PATH=VALUE"),
        (["--set", "B:activities.nobody.within=5m"], "names none of the activities order_unpaid"),
        (["--from", "yesterday"], "expected a time such as"),
    ],
)
def test_what_cannot_be_compared_is_said(capped: Path, three_orders: Path, words: list[str], said: str) -> None:
    result = run("compare", capped, capped, three_orders, *words)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_broken_lines_are_told_once(capped: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0), "rubbish", order(2, HOUR))
    result = run("compare", capped, capped, events)
    assert result.stderr.count(f"{events}:2: ") == 1
    assert "2 events, 1 lines left out" in result.stdout


def test_two_processes_say_what_one_says(capped: Path, three_orders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (capped, capped, three_orders, "--set", f"B:{CAP}=1")
    alone = compared(*arguments)
    monkeypatch.setattr("kairos.usecases.rules.compare._SMALL", 0)
    assert compared(*arguments) == alone


def test_tune_names_the_cap_that_meets_the_wish(capped: Path, three_orders: Path) -> None:
    result = run("tune", capped, three_orders, "--set", f"{CAP}=1..5", "--at-most", "2/1d", "--format", "json")
    found = json.loads(result.stdout)
    assert [one["sends"] for one in found["settings"]] == [1, 2, 3, 3, 3]
    assert [one["busiest"] for one in found["settings"]] == [1, 2, 3, 3, 3]
    assert found["best"]["values"] == {CAP: "2"}
    assert (capped / "policy.yaml").read_text() == POLICY


def test_tune_says_where_nothing_meets_the_wish(capped: Path, three_orders: Path) -> None:
    result = run("tune", capped, three_orders, "--set", "activity.within=5m,10m", "--at-most", "0/1d")
    assert result.exit_code == 1
    assert "No combination sends at most 0" in result.stdout


PRICES = "currency: EUR\ncosts: {sms: {per_segment: 0.07}, email: 0.01}\n"


def test_what_it_costs_is_told_where_measures_price_it(capped: Path, three_orders: Path) -> None:
    (capped / "measures.yaml").write_text(PRICES)
    arguments = (capped, capped, three_orders, "--set", f"B:{CAP}=2")
    sms = {"channel": "sms", "a": 0.21, "b": 0.14}
    assert compared(*arguments)["costs"] == {"currency": "EUR", "a": 0.21, "b": 0.14, "channels": [sms]}
    told = run("compare", *arguments).stdout.splitlines()
    assert told[-2:] == [
        "cost, EUR: 0.21 -> 0.14 (sms 0.21 -> 0.14)",
        "cap marketing: held 0, refused 0 -> 1",
    ]
    page = run("compare", *arguments, "--format", "html").stdout
    assert "<p>cost, EUR: 0.21 -&gt; 0.14 (sms 0.21 -&gt; 0.14)</p>" in page
    assert "<p>cap marketing: held 0, refused 0 -&gt; 1</p>" in page


def test_a_release_has_no_prices_of_its_own(capped: Path, three_orders: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    run("publish", capped, "--store", store)
    assert compared(f"{store}@1", capped, three_orders, exit_code=0)["costs"] is None
    (capped / "measures.yaml").write_text(PRICES)
    assert compared(f"{store}@1", capped, three_orders, exit_code=0)["costs"]["a"] == 0.21


def test_tune_says_what_each_combination_costs(capped: Path, three_orders: Path) -> None:
    (capped / "measures.yaml").write_text(PRICES)
    asked = ("tune", capped, three_orders, "--set", f"{CAP}=1..3")
    told = json.loads(run(*asked, "--format", "json").stdout)
    assert [(one["sends"], one["users"], one["suppressed"], one["cost"]) for one in told["settings"]] == [
        (1, 1, 2, 0.07),
        (2, 1, 1, 0.14),
        (3, 1, 0, 0.21),
    ]
    assert [line.split()[-1] for line in run(*asked).stdout.splitlines()] == ["cost", "0.07", "0.14", "0.21"]


def test_each_example_has_its_story_on_both_sides(capped: Path, three_orders: Path) -> None:
    arguments = (capped, capped, three_orders, "--set", f"B:{CAP}=2")
    (example,) = compared(*arguments)["examples"]
    assert (example["class"], example["cause"], example["user_id"]) == ("removed", "cap:marketing", "u1")
    assert example["explain"]["a"][-1] == "2025-11-22 04:30:00  -> send by sms"
    assert "stopped by caps: marketing allows 2 in 1d" in example["explain"]["b"][-2]
    told = run("compare", *arguments).stdout
    assert "    B  2025-11-22 04:30:00  -> suppress: cap:marketing\n" in told
    page = run("compare", *arguments, "--format", "html").stdout
    assert "<summary>Why: u1, order_unpaid</summary>" in page


def test_there_are_twenty_examples_of_a_class_at_most(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, *(order(number, number, f"u{number}") for number in range(25)))
    words = (rules, rules, events, "--set", "B:activities.order_unpaid.within=15m")
    report = compared(*words)
    assert [one["class"] for one in report["examples"]] == ["moved"] * 20
    assert all(one["explain"]["a"] for one in report["examples"])
    assert run("compare", *words).stdout.count("  order_unpaid  send") == 5  # on a terminal the table stays in sight


@pytest.mark.parametrize("tag", ["x", "y"])
def test_matches_that_one_event_began_are_told_apart_by_their_value_of_per(
    rules: Path, tmp_path: Path, tag: str
) -> None:
    """One of two values is cancelled by what comes within the longer time, the other one is later."""
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(path.read_text().replace("per: order_id", "per: tags"))
    props = "{order_id: string!, amount: number, tags: list}"
    (rules / "sources.yaml").write_text(f"shop: {{events: {{order_created: {props}, order_paid: {props}}}}}\n")
    (rules / "activities/orders/order_unpaid.test.yaml").unlink()
    both, paid = order(1, 0), order(1, 12 * MINUTE, kind="order_paid")
    both["props"]["tags"], paid["props"]["tags"] = ["x", "y"], [tag]
    out = tmp_path / "out"
    events = write_events(tmp_path, both, paid)
    compared(rules, rules, events, "--set", "B:activities.order_unpaid.within=15m", "--out", out)
    told = {one["class"]: one for one in map(json.loads, (out / "differences.jsonl").read_text().splitlines())}
    assert told.keys() == {"moved", "removed"}
    assert told["moved"]["a"]["occurrence"] == told["moved"]["b"]["occurrence"], "of the same value"


SERIES = """journey: order_series
state: live
trigger: {event: order_created, as: order, per: order_id}
reenter: each
steps:
  - {wait: 2d}
  - {id: hello, send: [{channel: console}]}
"""
DAILY = """activity: daily
state: live
trigger: {schedule: {daily: "10:00"}}
send: [{channel: console}]
"""


def test_a_folder_with_a_journey_and_a_calendar_is_compared(capped: Path, three_orders: Path) -> None:
    """Their parts have no steps of a pattern: every folder with one of them ended in a traceback."""
    (capped / "journeys/orders").mkdir(parents=True)
    (capped / "journeys/orders/order_series.yaml").write_text(SERIES)
    (capped / "activities/orders/daily.yaml").write_text(DAILY)
    report = compared(capped, capped, three_orders, "--set", f"B:{CAP}=2")
    rows = {row["activity"]: row for row in report["activities"]}
    assert rows["order_series"]["same"] == 3
    assert report["coverage"]["warm_up"] == 72 * HOUR, "two days through the journey, and the day of the cap"
