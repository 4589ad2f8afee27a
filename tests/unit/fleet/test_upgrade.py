"""An upgrade that may die anywhere: whoever starts it again brings it to its end, with one job and one savepoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.apps.cluster.job import SavepointError
from kairos.apps.fleet.journal import Journal, JournalFile
from kairos.apps.fleet.settings import FleetSettings
from kairos.apps.native.settings import ServiceError
from tests.unit.fleet.upgrade_kit import HERE, SIDES, THERE, TWO, Died, World, check


def moments(folder: Path) -> int:
    world = World(folder)
    world.upgrade()
    check(world)
    return world.moment


def died(folder: Path) -> Iterator[World]:
    """One for each moment at which who upgrades may die."""
    for moment in range(1, moments(folder / "calm") + 1):
        world = World(folder / f"died-{moment}")
        world.dies_at = moment
        with pytest.raises(Died):
            world.upgrade()
        yield world


def test_whenever_it_dies_the_next_run_ends_it(tmp_path: Path) -> None:
    for world in died(tmp_path):
        world.upgrade()
        check(world)
        assert (len(world.triggered), len(world.restored)) == (1, 1)
        assert world.done["stop"] <= 2


def test_old_taskmanagers_that_somebody_started_again_meanwhile_get_no_job(tmp_path: Path) -> None:
    """As a supervisor does, between the death of who upgraded and the next run."""
    for world in died(tmp_path):
        if not world.jobs:
            world.python.setdefault("taskmanager-1", "1")
        world.upgrade()
        check(world)


def test_whenever_it_dies_another_release_can_take_its_place(tmp_path: Path) -> None:
    for world in died(tmp_path):
        world.release = THERE
        with pytest.raises(ServiceError, match="--instead"):
            world.upgrade()
        world.upgrade(instead=True)
        check(world)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.refused = {"gateway"}
    with pytest.raises(ServiceError, match="gateway did not start"):
        world.upgrade()
    world.refused = set()
    said = world.upgrade()
    check(world)
    assert [line for line in said if line.endswith("done before")] == [
        "1/7 package the code: done before",
        "2/7 prepare the next job: done before",
        "3/7 stop the job: done before",
        "4/7 stop its TaskManagers: done before",
        "5/7 resume the job: done before",
        "6/7 restart sms: done before",
    ]
    assert world.done["prepare"] == world.done["stop"] == world.done["submit"] == world.done["down sms"] == 1


def test_when_one_is_over_the_next_begins_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.upgrade()
    world.release = THERE
    world.upgrade()
    check(world)
    assert len(world.triggered) == 2
    assert world.running(SIDES[0]), "the first side's turn again"


def test_the_first_who_submits_does_not_wait_for_the_lease_of_the_one_that_it_stopped(tmp_path: Path) -> None:
    """Whoever tries again does: another client may be submitting."""
    last = moments(tmp_path / "calm")
    moment = next(n for n in range(1, last + 1) if died_while_submitting(tmp_path / str(n), n))
    world = World(tmp_path)
    world.dies_at = moment
    with pytest.raises(Died):
        world.upgrade()
    world.upgrade()
    calm = World(tmp_path / "another")
    calm.upgrade()
    assert [calm.restored[0][1], world.restored[0][1]] == [True, False]


def test_nothing_is_stopped_before_the_next_job_is_prepared(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.refused = {"taskmanager-1b"}
    with pytest.raises(ServiceError, match="did not start"):
        world.upgrade()
    assert world.jobs == {"old": "1"}
    assert world.python["taskmanager-1"] == "1"
    world.refused = set()
    world.upgrade()
    assert world.done["package"] == 2, "what stood in the way may have been mended in the code"


@pytest.mark.parametrize("sides", [SIDES, TWO])
def test_the_next_job_gets_no_taskmanager_that_the_old_one_fled_to(
    tmp_path: Path, sides: tuple[list[str], list[str]]
) -> None:
    """From one that died while the next job is prepared: with old code there, the next job would run it, too."""
    world = World(tmp_path, sides)
    world.lost = "taskmanager-1"
    with pytest.raises(ServiceError, match="gone on in taskmanager-1b"):
        world.upgrade()
    assert world.jobs == {"old": "1"}
    world.upgrade()
    check(world)


def test_a_savepoint_that_failed_is_asked_for_anew(tmp_path: Path) -> None:
    """And one that is being written is waited for, by the same trigger."""
    world = World(tmp_path)
    world.fails = 1
    with pytest.raises(SavepointError):
        world.upgrade()
    assert world.jobs == {"old": "1"}
    world.upgrade()
    check(world)
    assert len(world.triggered) == 2


def died_while_submitting(folder: Path, moment: int) -> bool:
    world = World(folder)
    world.dies_at = moment
    with pytest.raises(Died):
        world.upgrade()
    journal = JournalFile(folder).read()
    return journal is not None and journal.submitted and not world.jobs


@pytest.mark.parametrize("running", [[], ["a", "b"]])
def test_without_one_job_it_begins_nothing(tmp_path: Path, running: list[str]) -> None:
    world = World(tmp_path)
    world.jobs = dict.fromkeys(running, "1")
    with pytest.raises(ServiceError, match=f"there are {len(running)}"):
        world.upgrade()
    assert set(world.python.values()) == {"1"}


def test_a_job_that_ended_without_a_savepoint_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    JournalFile(tmp_path).write(Journal(release=HERE, job="old"))
    world.jobs.clear()
    with pytest.raises(ServiceError, match="left no savepoint"):
        world.upgrade()


def test_processes_of_the_stack_come_along_where_they_run(tmp_path: Path) -> None:
    """Also one that was down when who upgraded died."""
    calm = World(tmp_path / "calm")
    calm.python["heartbeat"] = "1"
    said = calm.upgrade()
    assert said[-1].startswith("8/8 restart heartbeat of the stack: ")
    for moment in range(1, calm.moment + 1):
        world = World(tmp_path / f"died-{moment}")
        world.python["heartbeat"], world.dies_at = "1", moment
        with pytest.raises(Died):
            world.upgrade()
        world.upgrade()
        assert world.python["heartbeat"] == HERE


def test_without_a_job_only_processes_are_restarted(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.settings = FleetSettings(processes=world.settings.processes, folder=tmp_path)
    world.upgrade()
    assert world.done.keys() == {"down sms", "up sms", "down gateway", "up gateway"}
