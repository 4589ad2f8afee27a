"""Metrics that start from the past: `kairos publish --seed`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kairos.apps.cli import app
from kairos.engine.decision import Record
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.metric.compiled import metric_key
from kairos.engine.metric.spec import Metric
from kairos.engine.pattern import Pattern, Step
from kairos.engine.play.seeding import seed_metrics
from kairos.engine.rule.changes.change import change_of
from kairos.engine.rule.changes.succession import Seeding
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release, decode, encode
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState

DAY = 86_400_000
NOW = 1_800_000_000_000
EVER = Metric("ever", "count", ("buy",))
RECENT = Metric("recent", "sum", ("buy",), "amount", window=64 * DAY)
BY_KIND = Metric("by_kind", "count", ("buy",), per="kind", where="amount > 0")


def buy(number: int, days_ago: float, user: str = "u1", amount: int = 1, kind: str = "book") -> Event:
    return Event(f"e{number}", "buy", NOW - int(days_ago * DAY), "", {"amount": amount, "kind": kind}, user)


def rules(*metrics: Metric, where: str = "true") -> RuleSet:
    pattern = Pattern((Step("event", ("buy",), "buy", where),), per="kind")
    data = {metric.name: f"metric.{metric.name}" for metric in metrics}
    watch = Activity("watch", pattern, state="live", data=data)
    return RuleSet({"watch": watch}, metrics={metric.name: metric for metric in metrics})


def seed(rule_set: RuleSet, *events: Event, previous: Release | None = None) -> Seeding:
    return seed_metrics(previous, rule_set, events, NOW, lambda _index: None)


def live(release: Release, *events: Event) -> list[dict[str, Any]]:
    """What the watch sees of the metrics at each event of u1 under this release, through state that was stored."""
    engine = Engine(Settings(lateness=0))
    engine.adopt(compile_release(decode(encode(release)), max_runs=10))
    state, seen = UserState(), []
    for event in events:
        effects = engine.on_event("u1", state, event, event.time)
        seen += [effect.data for effect in effects if isinstance(effect, Record)]
    return seen


HISTORY = (buy(1, 100, amount=5), buy(2, 10, amount=7, kind="toy"), buy(3, 9, user="u2"), buy(4, 1, amount=0))


def test_a_seeded_metric_goes_on_from_the_past() -> None:
    given = rules(EVER, RECENT, BY_KIND)
    release = change_of(None, given, NOW, seeding=seed(given, *HISTORY)).release
    assert live(release, buy(5, -1), buy(6, -2, kind="toy")) == [
        {"ever": 4, "recent": 8, "by_kind": 2},
        {"ever": 5, "recent": 9, "by_kind": 2},
    ]


def test_users_without_a_past_start_from_nothing() -> None:
    given = rules(EVER)
    release = change_of(None, given, NOW, seeding=seed(given, buy(1, 5, user="u2"))).release
    assert live(release, buy(5, -1)) == [{"ever": 1}]


def test_a_seed_is_not_counted_on_for_all_users_alike() -> None:
    given = rules(EVER)
    release = change_of(None, given, NOW, seeding=seed(given, *HISTORY)).release
    engine = Engine(Settings(lateness=0))
    engine.adopt(compile_release(release, max_runs=10))
    for _ in range(2):
        effects = engine.on_event("u1", UserState(), buy(5, -1), NOW + 2 * DAY)
        assert [effect.data for effect in effects if isinstance(effect, Record)] == [{"ever": 4}]


def test_what_is_seeded_is_complete_as_far_as_the_file_reaches() -> None:
    given = rules(EVER, RECENT, where="metric.ever > 0 and metric.recent > 0")
    cold = change_of(None, given, NOW)
    assert len(cold.refusals) == 2
    whole = change_of(None, given, NOW, seeding=seed(given, *HISTORY))
    assert whole.refusals == whole.metrics == ()
    short = change_of(None, given, NOW, seeding=seed(given, *HISTORY[1:]))
    assert short.refusals == ("watch: reads metric.recent, which is not complete yet",)
    assert [(m.metric, m.complete_from) for m in short.metrics] == [("recent", NOW + 54 * DAY)]


def test_a_metric_that_is_counted_already_is_left_alone() -> None:
    first = change_of(None, rules(EVER), NOW - DAY, accept_cold=True).release
    given = rules(EVER, RECENT)
    seeding = seed(given, *HISTORY, previous=first)
    assert list(seeding.seeds) == [metric_key(RECENT)]
    release = change_of(first, given, NOW, seeding=seeding).release
    assert release.counting_since == {metric_key(EVER): NOW - DAY, metric_key(RECENT): NOW - 100 * DAY}


def test_events_from_after_the_release_are_left_to_the_job() -> None:
    assert seed(rules(EVER), buy(1, 1), buy(2, 0), buy(3, -1)).seeds == {metric_key(EVER): {"u1": {0: 1}}}


def test_seeds_go_along_as_long_as_they_can_count() -> None:
    given = rules(EVER, RECENT)
    first = change_of(None, given, NOW, seeding=seed(given, *HISTORY)).release
    for days, kept in ((50, {"ever", "recent"}), (70, {"ever"})):
        later = change_of(first, rules(EVER, RECENT, where="amount > 1"), NOW + days * DAY).release
        assert {key.partition("@")[0] for key in later.seeds} == kept
    gone = change_of(first, rules(RECENT), NOW + DAY).release
    assert {key.partition("@")[0] for key in gone.seeds} == {"recent"}


@pytest.mark.parametrize("store", ["sqlite:///{}/kairos.db"])
def test_publish_with_a_seed(tmp_path: Path, store: str) -> None:
    folder = tmp_path / "rules"
    (folder / "activities/t").mkdir(parents=True)
    (folder / "metrics.yaml").write_text("ever: {count: buy}\n")
    rule = "activity: a\nstate: live\ntrigger: {event: buy, where: metric.ever == 3}\n"
    (folder / "activities/t/a.yaml").write_text(rule)
    events = tmp_path / "history.jsonl"
    line = {"id": "e1", "type": "buy", "user_id": "u1", "time": 1_763_778_000_000}
    events.write_text(f"{json.dumps(line)}\nrubbish\n{json.dumps(line)}\n{json.dumps({**line, 'id': 'e2'})}\n")
    command = ["publish", str(folder), "--store", store.format(tmp_path)]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1
    seeded = CliRunner().invoke(app, [*command, "--seed", str(events)])
    assert seeded.exit_code == 0
    assert "  metric ever: seeded for 1 user, events since 2025-11-22 02:20 UTC\n" in seeded.stdout
    assert [line.partition(": ")[0] for line in seeded.stderr.splitlines()[-2:]] == [f"{events}:2", f"{events}:3"]
