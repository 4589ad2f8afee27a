"""The job on real Kafka: time, bad input, changes while it runs, stop and resume. One job serves all of it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.job import MINUTE, LiveJob, event, eventually, key, now
from harness.rules import UNPAID, watch, write_activity, write_rules
from harness.world import Running, write_conf
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.rules.files import read_folder
from kairos.apps.stack import Stack
from kairos.engine.decision import share_of
from kairos.engine.event import decode
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import activity_version
from kairos.usecases.control.rights import Actor
from kairos.usecases.control.switch import Which, turn
from tests.unit.cli.cli_kit import run as kairos

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"), unpaid=UNPAID)


@pytest.fixture(scope="module")
def job(stack: Stack, live_job: Callable[..., LiveJob], rules: Path) -> LiveJob:
    """Started on an hour of backlog: `paid` paid after 9 minutes, `unpaid` never did; the payment lies far behind."""
    stack.freeze("heartbeat")
    try:
        job = live_job(rules)
        send_backlog(job)
    finally:
        stack.thaw("heartbeat")
    job.start().until_running()
    return job


def send_backlog(job: LiveJob) -> None:
    start = now() - 65 * MINUTE
    job.send(
        event("paid", "order_created", start, order_id="o1"),
        event("unpaid", "order_created", start, order_id="o2"),
        *(event(f"crowd{n % 50}", "view", start + n * 500) for n in range(1_080)),
        event("paid", "order_paid", start + 9 * MINUTE, order_id="o1"),
        *(event(f"crowd{n % 50}", "view", start + n * 500) for n in range(1_080, 5_000)),
    )


def test_a_backlog_fires_nothing_early(job: LiveJob) -> None:
    (decided,) = job.until_decided("unpaid")
    assert (decided["activity"], decided["outcome"], decided["channel"]) == ("unpaid", "send", "webhook")
    assert decided["data"] == {"order_id": "o2"}
    (delivery,) = eventually(lambda: job.topics.read(f"{job.name}.deliveries.webhook"), bool)
    assert (delivery["user_id"], delivery["occurrence"]) == ("unpaid", decided["occurrence"])
    assert job.decisions("paid") == []


def test_an_absence_fires_in_a_silent_topic(job: LiveJob) -> None:
    due = now() + 2_000
    job.send(event("silent", "order_created", due - 10 * MINUTE, order_id="o3"))
    (decided,) = job.until_decided("silent")
    assert decided["at"] == due
    assert now() >= due


BAD: list[tuple[str, str | None, bytes, int]] = [
    ("not_json", "bad", b'{"id": "x1", "type"', 0),
    ("not_json", "bad", b"\xff\xfe\x00", 0),
    ("bad_field", "bad", b'{"id": "x2", "type": "view", "time": 1763778000000}', 0),
    ("bad_field", "bad", b'{"id": 3, "type": "view", "user_id": "bad", "time": 1763778000000}', 0),
    ("not_json", None, b"[]", 0),
    ("bad_time", "bad", b'{"id": "x4", "type": "view", "user_id": "bad", "time": "yesterday"}', 0),
    ("wrong_key", "bad", b'{"id": "x5", "type": "view", "user_id": "worse", "time": 1763778000000}', 0),
    ("wrong_timestamp", "bad", b'{"id": "x6", "type": "view", "user_id": "bad", "time": 1763778000000}', 1),
    ("too_large", "bad", b'"' + b"x" * 1_000_100 + b'"', 0),
]


def test_bad_input_goes_to_dead_letters_and_restarts_nothing(job: LiveJob) -> None:
    for _, user, value, offset in BAD:
        job.topics.send_raw(job.events, user, value, 1_763_778_000_000 + offset)
    job.topics.send_raw(job.events, "bad", msgspec.json.encode(event("bad", "view", now() + 120 * MINUTE)), now())
    expected = Counter(reason for reason, *_ in BAD) + Counter(future=1)
    letters = eventually(job.dead_letters, lambda found: len(found) >= sum(expected.values()))
    assert Counter(letter["reason"] for letter in letters) == expected
    assert all(letter["origin"].startswith(f"{job.events}/") for letter in letters)
    counted = {f"dead_letters.{reason}": count for reason, count in expected.items()}
    eventually(job.counters, lambda found: counted.items() <= found.items())
    assert (job.state()["state"], job.restarts()) == ("RUNNING", 0)


def test_an_event_without_a_key_is_keyed_by_its_user(job: LiveJob) -> None:
    moment = now() - 11 * MINUTE
    order = event("keyless", "order_created", moment, order_id="o4")
    job.topics.send_raw(job.events, None, msgspec.json.encode(order), moment)
    (decided,) = job.until_decided("keyless")
    assert decided["outcome"] == "send"


def until_seen(job: LiveJob, user_id: str, kind: str) -> list[dict[str, Any]]:
    """Goes on sending events of a kind until one is decided about."""

    def decisions() -> list[dict[str, Any]]:
        job.send(event(user_id, kind, now()))
        return job.decisions(user_id)

    return eventually(decisions, bool)


def test_rules_change_while_it_runs(job: LiveJob, rules: Path) -> None:
    write_activity(rules, "greeting", watch("greeting", "login"))
    assert {record["activity"] for record in until_seen(job, "newcomer", "login")} == {"greeting"}


def test_a_pause_acts_within_three_seconds_and_without_a_release(job: LiveJob, rules: Path) -> None:
    write_activity(rules, "greeting", watch("greeting", "login"))
    until_seen(job, "before", "login")
    turn(str(rules), Which(("greeting",)), "paused", Actor("ann"), "wrong link", now())
    job.send(event("while", "login", now()))
    (record,) = eventually(lambda: job.decisions("while"), bool)
    assert (record["outcome"], record["reason"]) == ("suppress", "paused")
    turn(str(rules), Which(("greeting",)), "live", Actor("ann"), "", now())
    job.send(event("after", "login", now()))
    (record,) = eventually(lambda: job.decisions("after"), bool)
    assert record["outcome"] == "match"


def test_a_broken_change_leaves_the_rules_as_they_are(job: LiveJob, rules: Path) -> None:
    write_activity(rules, "greeting", watch("greeting", "login"))
    until_seen(job, "first", "login")
    write_activity(rules, "greeting", watch("greeting", "login").replace("state: live", "state: alive"))
    refused = ("the rules stay as they are", "activities/test/greeting.yaml:2")
    eventually(job.log, lambda text: all(words in text for words in refused))
    eventually(job.counters, lambda found: found["rules.refused"] >= 1)
    assert {record["activity"] for record in until_seen(job, "second", "login")} == {"greeting"}
    write_activity(rules, "greeting", watch("greeting", "logout"))
    assert {record["activity"] for record in until_seen(job, "third", "logout")} == {"greeting"}
    assert job.restarts() == 0


TRIED = """
    activity: tried
    state: live
    trigger: {event: parcel, where: weight > 1}
    send: [{channel: console, template: unpaid}]
    data: {order_id: order_id}
"""


def test_a_version_on_trial_decides_beside_the_live_one_and_leaves_no_trace(job: LiveJob, rules: Path) -> None:
    """It says of the same events what a simulation of its version says."""
    write_activity(rules, "tried", TRIED)
    _until(job, "tried first", "parcel", lambda record: record["activity"] == "tried", weight=5, order_id="o")
    tried = _rules_in(rules).activities["tried"]
    beside = f"state: live\n    shadow: '{activity_version(tried)}'"
    write_activity(rules, "tried", TRIED.replace("weight > 1", "weight > 3").replace("state: live", beside))
    _until(job, "tried next", "parcel", lambda record: record.get("shadow"), weight=5, order_id="o")
    events = [event(f"parcel{n}", "parcel", now(), weight=n % 6, order_id=f"p{n}") for n in range(24)]
    job.send(*events)
    _until(job, "tried last", "parcel", lambda record: record.get("shadow"), weight=5, order_id="o")
    mine = [one for one in job.decisions() if one["user_id"].startswith("parcel")]
    simulated = Simulation(msgspec.structs.replace(_rules_in(rules), activities={"tried": tried}))
    wanted = list(simulated.run([decode(msgspec.json.encode(one)) for one in events]))
    shadow = {one["occurrence"]: one for one in mine if one.get("shadow")}
    assert shadow == {one.occurrence: {**msgspec.to_builtins(one), "shadow": True} for one in wanted}
    live = {one["user_id"] for one in mine if not one.get("shadow")}
    assert live == {f"parcel{n}" for n in range(24) if n % 6 > 3}
    delivered = job.topics.read(f"{job.name}.deliveries.console")
    assert {one["user_id"] for one in delivered if one["user_id"].startswith("parcel")} == live


def _until(job: LiveJob, user: str, kind: str, wanted: Callable[[dict[str, Any]], Any], **props: Any) -> dict[str, Any]:
    """Goes on sending events of a kind until one is decided as wanted."""

    def decisions() -> list[dict[str, Any]]:
        job.send(event(user, kind, now(), **props))
        return [record for record in job.decisions(user) if wanted(record)]

    return eventually(decisions, bool)[0]


def _rules_in(folder: Path) -> RuleSet:
    loaded = load(read_folder(folder)).rules
    assert loaded is not None
    return loaded


ROLLED = """
    activity: rolled
    state: live
    trigger: {event: ticket}
    send: [{channel: console, template: unpaid}]
    data: {order_id: order_id}
"""


def test_a_rollout_that_breaks_a_guardrail_is_over_and_nobody_outside_was_in_it(
    job: LiveJob, stack: Stack, rules: Path, tmp_path: Path
) -> None:
    """A text with a hole for a fifth of its users; the scheduler watches, and says so."""
    write_activity(rules, "rolled", ROLLED)
    users = [f"ticket{n}" for n in range(400)]
    inside = [user for user in users if share_of(user, "rolled/rollout") < 0.5]
    old = _until(job, "ticket buyer", "ticket", lambda one: one["activity"] == "rolled", order_id="o")["version"]
    bad = ROLLED.replace("order_id: order_id", "order_id: code").replace("state: live", "state: live\n    rollout: 50%")
    following = shutil.copytree(rules, tmp_path / "rules", ignore=shutil.ignore_patterns(".*"))
    write_activity(following, "rolled", bad)
    write_activity(following, "tried", TRIED)  # of its shadow only the job knows
    published = kairos("publish", following, "--store", rules, "--no-backtest", "--accept-cold")
    assert published.exit_code == 0, published.output
    _until(job, inside[0], "ticket", lambda one: one.get("rollout"), code="c")
    conf = {
        "kafka": {"bootstrap": job.topics.bootstrap, "prefix": f"{job.name}."},
        "rules": {"store": str(rules)},
        "profiles": {"redis": stack.settings.redis_url},
        "delivery": {"store": f"sqlite:///{tmp_path}/runs.db"},
    }
    words = ["kairos", "scheduler", "--conf", str(write_conf(tmp_path / "conf.yaml", conf))]
    scheduler = Running(tmp_path / "scheduler.out", words)
    try:
        scheduler.until_said("at work")
        decided = _ticket(job, users)
        broken = now()
        outside = {(one["outcome"], one["version"]) for user, one in decided.items() if user not in inside}
        assert outside == {("send", old)}
        assert Counter(decided[user]["reason"] for user in inside)["missing_value"] > 20
        _until(job, inside[0], "ticket", lambda one: one["version"] == old and one["at"] >= broken, order_id="o")
        scheduler.until_said("texts have a hole, more than 0.05 of them. Everyone has the version before")
        assert {one["outcome"] for one in _ticket(job, inside).values()} == {"send"}
    finally:
        scheduler.process.terminate()
        scheduler.wait()


def _ticket(job: LiveJob, users: Sequence[str]) -> dict[str, dict[str, Any]]:
    """User -> the newest decision, after one more event of each. A fifth have no code. What went is received."""
    at = now()
    codes = [{} if int(user.removeprefix("ticket")) % 5 == 0 else {"code": "c"} for user in users]
    job.send(*(event(user, "ticket", at, order_id="o", **code) for user, code in zip(users, codes, strict=True)))

    def newest() -> dict[str, dict[str, Any]]:
        mine = [one for one in job.decisions() if one["activity"] == "rolled" and one["at"] == at]
        return {one["user_id"]: one for one in mine}

    found = eventually(newest, lambda found: found.keys() == set(users))
    receipts = [
        {"type": "receipt", "user_id": one["user_id"], "time": at,
         "props": {"activity": "rolled", "occurrence": one["occurrence"], "attempt": 1, "status": "sent"}}
        for one in found.values() if one["outcome"] == "send"
    ]  # fmt: skip
    job.topics.send(f"{job.name}.receipts", *receipts)
    return found


def test_a_new_topic_is_read(job: LiveJob) -> None:
    topic = f"events.{job.name}.app"
    create_topics(job.topics.bootstrap, [topic], 3)
    moment = now() - 11 * MINUTE
    job.topics.send(topic, event("fresh", "order_created", moment, order_id="o5"))
    (decided,) = job.until_decided("fresh")
    assert decided["data"] == {"order_id": "o5"}


def test_stop_with_a_savepoint_and_resume_at_another_parallelism(job: LiveJob) -> None:
    """Matches opened before go on after it: from one slot to two, and back to one."""
    before = job.decisions()
    resumed = []
    for parallelism in (2, 1):
        users = [f"patient{parallelism}{number}" for number in range(8)]
        due = now() + 15_000
        job.send(*(event(user, "order_created", due - 10 * MINUTE, order_id="o6") for user in users))
        savepoint = job.stop()
        job.start("--from", savepoint, "--set", f"job.parallelism={parallelism}").until_running()
        for user in users:
            (decided,) = job.until_decided(user)
            assert decided["at"] == due
            resumed.append(decided)
    times_found = Counter(map(key, job.decisions()))
    assert times_found.keys() >= set(map(key, [*before, *resumed]))
    assert set(times_found.values()) == {1}


def test_a_savepoint_of_the_other_mode_is_refused(job: LiveJob) -> None:
    refused = job.start("--from", job.stop(), "--set", "job.mode=process")
    assert refused.wait() == 2
    assert "written in thread mode and this job runs in process mode" in refused.said()
