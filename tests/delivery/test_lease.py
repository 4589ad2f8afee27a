"""One engine for a group and its topics: who may start, who has been replaced, and what becomes of what it decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sql

from jobs.checks import StartError
from jobs.lease import release_lease, renewing, take_lease
from jobs.settings import Settings, load
from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.engine_lease import (
    LOOK_MS,
    PATIENCE_MS,
    STARTING_MS,
    HeldError,
    Lease,
    Leases,
    ReplacedError,
)
from kairos.apps.delivery.fence import Fence
from tests.delivery.kit import BASE, World, delivery
from tests.delivery.virtual_loop import run


class Time:
    """Passes while somebody sleeps; `meanwhile` happens then."""

    def __init__(self) -> None:
        self.at, self.slept = BASE, 0
        self.alive: list[tuple[Leases, Lease]] = []

    def now(self) -> int:
        return self.at

    def sleep(self, ms: int) -> None:
        self.at += ms
        self.slept += ms
        for leases, lease in self.alive:
            leases.renew(lease, self.at)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sql.Engine]:
    opened = open_engine(f"sqlite:///{tmp_path}/l.db")
    create_tables(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def leases(engine: sql.Engine) -> Leases:
    return Leases(engine)


def take(leases: Leases, time: Time, holder: str = "b", scope: str = "group g", *, by_force: bool = False) -> Lease:
    return leases.take(scope, holder, time.now, time.sleep, by_force=by_force)


def test_a_second_start_is_refused_while_the_first_lives(leases: Leases) -> None:
    time = Time()
    first = take(leases, time, "anna")
    time.alive.append((leases, first))
    with pytest.raises(HeldError, match=r"another engine is at work on group g: anna, generation 1\..*--take-over"):
        take(leases, time)
    assert time.slept == LOOK_MS
    assert take(leases, time, scope="group h").generation == 1


def test_after_a_crash_the_next_generation_begins(leases: Leases) -> None:
    time = Time()
    first = take(leases, time, "anna")
    leases.renew(first, time.now() + 1)
    second = take(leases, time)
    assert (second.generation, time.slept) == (2, PATIENCE_MS)
    assert second.taken_at == time.now()
    with pytest.raises(ReplacedError, match="generation 1 has been replaced by 2, b"):
        leases.renew(first, time.now())


def test_one_that_may_still_be_starting_is_waited_for(leases: Leases) -> None:
    time = Time()
    take(leases, time, "anna")
    take(leases, time)
    assert time.slept == STARTING_MS


def test_one_that_ended_in_order_is_not_waited_for(leases: Leases) -> None:
    time = Time()
    leases.release(take(leases, time, "anna"))
    assert (take(leases, time).generation, time.slept) == (2, 0)


def test_by_force_the_first_is_replaced_at_once(leases: Leases) -> None:
    time = Time()
    first = take(leases, time, "anna")
    assert (take(leases, time, by_force=True).generation, time.slept) == (2, 0)
    with pytest.raises(ReplacedError):
        leases.renew(first, time.now())


def test_of_two_that_start_at_the_same_time_one_wins(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    take(leases, time, "anna")
    monkeypatch.setattr(Leases, "_last", lambda *_: None)  # both have looked before either has written
    with pytest.raises(HeldError, match="has just started"):
        take(leases, time)


def test_what_was_decided_after_the_next_generation_began_is_refused() -> None:
    fence = Fence()
    fence.learn([Lease("l", 1, "a", BASE - 500, 1), Lease("l", 2, "b", BASE, 1), Lease("other", 9, "c", BASE - 900, 1)])
    assert fence.refusal(delivery(at=0, fence="l/1")) is None  # decided before, and still good
    assert fence.refusal(delivery(at=1, fence="l/1")) == "decided by generation 1 after generation 2 had taken over"
    for fine in ("l/2", "", "unheard/1", "l/x", "l/" + "9" * 5_000):
        assert fence.refusal(delivery(at=1, fence=fine)) is None


def test_a_worker_sends_nothing_of_a_replaced_engine_and_the_rightful_one_s_goes() -> None:
    """The same occurrence: what is refused takes no place in the ledger."""
    world = World()
    world.fence.learn([Lease("l", 1, "a", BASE - 500, 1), Lease("l", 2, "b", BASE - 1, 1)])
    run(world.deliver(delivery("u1", fence="l/1"), delivery("u1", fence="l/2"), delivery("u2", fence="l/1")))
    assert world.states() == {"u1": "sent"}
    assert len(world.provider.calls) == 1
    assert [letter["reason"] for letter in world.letters()] == ["fenced", "fenced"]
    assert [user for user, _, _ in world.receipts()] == ["u1"]


def _settings(tmp_path: Path, more: str = "") -> Settings:
    path = tmp_path / "job.yaml"
    path.write_text(
        f"kafka: {{bootstrap: 'b:1', group: shop}}\nstate: {{checkpoints: c}}\n"
        f"delivery: {{store: 'sqlite:///{tmp_path}/d.db'}}\n{more}"
    )
    return load(path)


def test_a_job_s_lease_is_where_its_deliveries_are(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert settings.lease.store == f"sqlite:///{tmp_path}/d.db"
    elsewhere = f"lease: {{store: 'sqlite:///{tmp_path}/other.db'}}\n"
    assert _settings(tmp_path, elsewhere).lease.store == f"sqlite:///{tmp_path}/other.db"


def test_a_job_takes_renews_and_gives_back_its_lease(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    first = take_lease(settings, by_force=False)
    assert first is not None
    open_renewing = renewing(settings, first)
    assert open_renewing is not None
    renew = open_renewing()
    renew()
    release_lease(settings, first)
    second = take_lease(settings, by_force=False)
    assert second is not None
    assert (second.generation, second.fence) == (2, f"{first.name}/2")
    with pytest.raises(ReplacedError):
        open_renewing()()


def test_without_deliveries_or_on_files_there_is_no_lease(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("kafka: {bootstrap: 'b:1'}\nstate: {checkpoints: c}\n")
    assert take_lease(load(path), by_force=False) is None
    path.write_text("files: {events: e, output: o}\ndelivery: {store: 'sqlite:///d.db'}\n")
    assert take_lease(load(path), by_force=False) is None
    assert renewing(load(path), None) is None


def test_a_database_that_is_away_keeps_a_job_from_starting_and_not_from_running(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "lease: {store: 'mysql+pymysql://a:geheim@127.0.0.1:1/x'}\n")
    with pytest.raises(StartError, match=r"lease\.store: .*does not answer") as refused:
        take_lease(settings, by_force=False)
    assert "geheim" not in str(refused.value)
    open_renewing = renewing(settings, Lease("l", 1, "a", BASE, BASE))
    assert open_renewing is not None
    open_renewing()()
