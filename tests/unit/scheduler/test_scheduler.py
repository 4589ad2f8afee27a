"""The scheduler: when it tells whom, and what it does after it was away."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kairos.adapters.database.schedule_runs import ScheduleRuns
from kairos.adapters.kafka.receipts import Outcomes
from kairos.engine.play.simulate import as_if_live
from kairos.engine.rule.release import Release
from kairos.usecases.scheduler import scheduler as module
from tests.engine_kit import BASE, DAY, HOUR, MINUTE, Profiles, rules, told_time
from tests.scheduler_kit import World, run_until

BLAST = "activity: a\ntrigger: {schedule: {at: 2026-11-02T13:00, timezone: UTC}CROWD}\n"
MANY: Profiles = {f"u{n}": {} for n in range(100)}


def blast(more: str = "", crowd: str = "") -> str:
    return BLAST.replace("CROWD", f", crowd: {crowd}" if crowd else "") + more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def played(folder: Path, text: str, people: Profiles = MANY, until: int = BASE + 2 * HOUR, **files: str) -> World:
    world = World(folder, people, rules(text, **files))
    run_until(world, world.scheduler(), until)
    return world


def said(world: World) -> dict[str, int]:
    """When how many were told, and what instead of a message."""
    counted = Counter(
        f"{told_time(event.time - BASE)} {event.props.get('instead', '')}".strip() for event in world.told
    )
    return dict(counted)


def test_a_blast_is_told_once_to_everyone_at_its_time(folder: Path) -> None:
    world = played(folder, blast())
    assert said(world) == {"1h": 100}
    assert {event.id for event in world.told} == {f"sched/a/2026-11-02T13:00/u{n}" for n in range(100)}
    assert {event.type for event in world.told} == {"schedule.due"}
    run_until(world, world.scheduler(), BASE + 30 * DAY)
    assert len(world.told) == 100


def test_nothing_is_told_before_its_time(folder: Path) -> None:
    world = played(folder, blast("pace: {rate: 10 per 1m}\n"))
    assert all(at >= event.time for event, at in zip(world.told, world.told_at, strict=True))
    assert said(world) == {told_time(HOUR + n * MINUTE): 10 for n in range(10)}


def test_each_user_where_he_is(folder: Path) -> None:
    people: Profiles = {
        "shanghai": {"timezone": "Asia/Shanghai"}, "berlin": {"timezone": "Europe/Berlin"}, "somewhere": {},
        "nowhere": {"timezone": "Mars/Base"}, "pago": {"timezone": "Pacific/Pago_Pago"},
    }  # fmt: skip
    text = 'activity: a\ntrigger: {schedule: {daily: "21:00"}}\n'
    world = played(folder, text, people, BASE + DAY)
    assert {event.user_id: told_time(event.time - BASE) for event in world.told} == {
        "shanghai": "1h", "berlin": "8h", "somewhere": "9h", "nowhere": "9h", "pago": "20h",
    }  # fmt: skip


def test_a_date_of_the_profile_is_told_on_its_day(folder: Path) -> None:
    people: Profiles = {"u1": {"born": "1990-11-05"}, "u2": {"born": "1990-11-04"}, "u3": {}, "u4": {"born": "soon"}}
    text = 'activity: a\ntrigger: {schedule: {yearly: profile.born, time: "10:00", before: 1d}}\n'
    world = played(folder, text, people, BASE + 4 * DAY, profile="born: date\n")
    assert [(event.user_id, event.props["slot"]) for event in world.told] == [
        ("u2", "2026-11-03T10:00"), ("u1", "2026-11-04T10:00"),
    ]  # fmt: skip


def test_a_crowd_that_profiles_tell_is_chosen_and_a_live_one_is_left_to_the_job(folder: Path) -> None:
    crowds = "gold: {where: profile.level > 2}\nkept: {members: redis}\nbuyers: {where: metric.n > 0}\n"
    files = {"crowds": crowds, "metrics": "n: {count: pay, window: 7d}\n"}
    people: Profiles = {"u1": {"level": 3}, "u2": {"crowds": ["kept"]}, "u3": {}}
    for crowd, expected in (("gold", ["u1"]), ("kept", ["u2"]), ("buyers", ["u1", "u2", "u3"])):
        (folder / crowd).mkdir()
        world = played(folder / crowd, blast(crowd=crowd), people, **files)
        assert sorted(event.user_id for event in world.told) == expected


def test_a_day_without_a_slot_is_no_end(folder: Path) -> None:
    """Else a slot of the next day would be told when another schedule has the next turn."""
    world = World(folder, MANY, rules('activity: a\ntrigger: {schedule: {weekly: [sun], time: "09:00"}}\n'))
    assert world.scheduler().step() == BASE + DAY


def test_a_sweep_looks_at_everyone_once_spread_over_its_time(folder: Path) -> None:
    world = World(folder, {f"u{n}": {} for n in range(200)}, rules())
    world.release = Release(7, world.release.rules, BASE, sweep=HOUR)
    run_until(world, world.scheduler(), BASE + 3 * HOUR)
    run_until(world, world.scheduler(), BASE + 30 * DAY)  # another process, later
    assert {(event.type, event.id) for event in world.told} == {("kairos.look", f"sweep/7/u{n}") for n in range(200)}
    quarters = Counter((event.time - BASE) * 4 // HOUR for event in world.told)
    assert quarters.keys() == {0, 1, 2, 3}
    assert all(30 <= count <= 70 for count in quarters.values())
    assert all(at >= event.time for event, at in zip(world.told, world.told_at, strict=True))


# ------------------------------------------------------------------------------------------------------ after absence


def test_what_came_while_it_was_away_is_told_late_and_with_the_time_of_the_clock(folder: Path) -> None:
    world = World(folder, MANY, rules(blast()))
    world.scheduler().step()
    world.now = BASE + 3 * HOUR
    run_until(world, world.scheduler(), BASE + 4 * HOUR)
    assert said(world) == {"3h": 100}


def test_after_until_it_is_told_as_expired_never_in_silence(folder: Path) -> None:
    world = World(folder, MANY, rules(blast("pace: {until: 30m}\n")))
    world.scheduler().step()
    world.now = BASE + 3 * HOUR
    run_until(world, world.scheduler(), BASE + 4 * HOUR)
    assert said(world) == {"3h expired": 100}
    assert [(run.told, run.expired, run.state) for run in ScheduleRuns(world.engine).of("a")] == [(100, 100, "done")]


def test_a_rate_that_was_interrupted_goes_on_as_a_rate(folder: Path) -> None:
    world = World(folder, MANY, rules(blast("pace: {rate: 10 per 1m}\n")))
    run_until(world, world.scheduler(), BASE + HOUR + 2 * MINUTE)
    world.now += 10 * MINUTE
    run_until(world, world.scheduler(), BASE + 3 * HOUR)
    assert said(world) == {told_time(HOUR + n * MINUTE): 10 for n in (0, 1, 2, *range(12, 19))}


def test_a_daily_schedule_that_is_new_begins_when_it_was_published(folder: Path) -> None:
    text = 'activity: a\ntrigger: {schedule: {daily: "11:00", timezone: UTC}}\n'
    world = played(folder, text, {"u1": {}}, BASE + 2 * DAY)
    assert [event.props["slot"] for event in world.told] == ["2026-11-03T11:00", "2026-11-04T11:00"]


def test_a_schedule_that_changed_begins_with_the_change(folder: Path) -> None:
    text = 'activity: a\ntrigger: {schedule: {daily: "11:00", timezone: UTC}}\n'
    world = played(folder, text, {"u1": {}}, BASE + DAY)
    world.release = Release(2, as_if_live(rules(text.replace("11:00", "11:30"))), BASE + DAY)
    run_until(world, world.scheduler(), BASE + 2 * DAY)
    assert [event.props["slot"] for event in world.told] == ["2026-11-03T11:00", "2026-11-04T11:30"]


@pytest.mark.parametrize(("late", "told"), [("", {}), (", late: now", {"0s": 100})])
def test_a_time_that_is_past_at_publish(folder: Path, late: str, told: dict[str, int]) -> None:
    text = BLAST.replace("13:00, timezone: UTC}CROWD", f"11:00, timezone: UTC{late}}}")
    world = played(folder, text)
    assert said(world) == told
    assert [run.state for run in ScheduleRuns(world.engine).of("a")] == ["done" if late else "skipped"]


def test_slots_of_what_is_paused_are_told_for_the_job_to_record_and_none_of_what_has_ended(folder: Path) -> None:
    world = World(folder, MANY, rules('activity: a\ntrigger: {schedule: {daily: "13:00", timezone: UTC}}\n'))
    scheduler = world.scheduler()
    world.switch.turn(["a"], "paused", "ann", "", BASE)
    run_until(world, scheduler, BASE + 2 * HOUR)
    assert said(world) == {"1h": 100}
    world.switch.turn(["a"], "ended", "ann", "", BASE + 2 * HOUR)
    run_until(world, scheduler, BASE + 3 * DAY)
    assert said(world) == {"1h": 100}


def test_what_was_paused_since_its_planned_time_has_the_time_of_the_clock(folder: Path) -> None:
    world = World(folder, MANY, rules(blast()))
    scheduler = world.scheduler()
    run_until(world, scheduler, BASE + HOUR - 1)
    world.switch.turn(["a"], "paused", "ann", "", BASE + HOUR + 300)
    world.now = BASE + HOUR + 400
    scheduler.step()
    assert {event.time for event in world.told} == {BASE + HOUR + 400}


def test_a_large_run_is_told_in_batches_each_of_them_noted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 30)
    world = World(folder, MANY, rules(blast()))
    scheduler = world.scheduler()
    world.now = BASE + HOUR
    scheduler.step()
    assert len(world.told) == 30
    assert [run.told for run in ScheduleRuns(world.engine).of("a")] == [30]
    run_until(world, scheduler, BASE + HOUR + MINUTE)
    assert said(world) == {"1h": 100}


class Heard:
    """Receipts, as somebody says."""

    def __init__(self) -> None:
        self.outcomes = Outcomes()

    def of(self, activity: str, since: int, now: int) -> Outcomes:
        assert (activity, since >= BASE + HOUR) == ("a", True)
        return self.outcomes


def test_receipts_of_a_run_pause_its_activity_and_it_says_so(folder: Path) -> None:
    pace = "pace: {waves: [30%, 100%], every: 10m, stop_if: {failed: 10%}}\n"
    world, heard, said_ = World(folder, MANY, rules(blast(pace))), Heard(), list[str]()
    scheduler = world.scheduler(receipts=heard, said=said_.append)
    run_until(world, scheduler, BASE + HOUR + MINUTE)
    heard.outcomes = Outcomes(sent=18, failed=1)
    run_until(world, scheduler, BASE + HOUR + 2 * MINUTE)
    assert world.switch.standing(world.now) == {}
    heard.outcomes = Outcomes(sent=26, failed=4)
    run_until(world, scheduler, BASE + 2 * HOUR)
    (turned,) = world.switch.history()
    assert (turned.state, turned.by, turned.reason) == (
        "paused", "scheduler", "4 of 30 messages failed, more than 0.1 of them",
    )  # fmt: skip
    assert BASE + HOUR + 2 * MINUTE <= turned.since <= BASE + 2 * HOUR
    assert said_[0].startswith("a is paused: 4 of 30 messages failed")


def test_people_who_leave_pause_it_too(folder: Path) -> None:
    pace = "pace: {waves: [50%, 100%], every: 10m, stop_if: {unsubscribed: 2%}}\n"
    world = World(folder, MANY, rules(blast(pace)))
    scheduler = world.scheduler()
    run_until(world, scheduler, BASE + HOUR + MINUTE)
    for number, at in ((1, BASE), (2, BASE + HOUR + 1), (3, BASE + HOUR + 1)):
        world.people[f"u{number}"] = {"consents": {"news": {"on": False, "at": at, "by": "link"}}}
    run_until(world, scheduler, BASE + 2 * HOUR)
    assert list(world.switch.standing(world.now)) == ["a"]
