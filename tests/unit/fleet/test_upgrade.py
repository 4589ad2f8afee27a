"""An upgrade that may die anywhere: whoever starts it again brings it to its end, with one job and one savepoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kairos.apps.cluster.job import Job, SavepointError
from kairos.apps.fleet.journal import Journal, JournalFile, begin
from kairos.apps.fleet.settings import FleetSettings, JobSettings, ProcessSettings
from kairos.apps.fleet.upgrade import Parts, Upgrade
from kairos.apps.native.settings import ServiceError

HERE, THERE = "/releases/2", "/releases/3"
SIDES = ["taskmanager-1"], ["taskmanager-1b"]


class Died(BaseException):
    """As kill -9: nothing catches it."""


class Client:
    """Flink's, with the job composed."""

    def __init__(self, world: World, release: str) -> None:
        self._world, self._release = world, release

    def until_ready(self) -> None:
        self._world.loading = False

    def submit(self, savepoint: str, *, take_over: bool) -> str:
        world = self._world
        name = f"job-{len(world.restored)}"

        def begin() -> None:
            assert not world.jobs, "two would send twice"
            at_work = {world.python[name] for side in SIDES for name in world.running(side)}
            assert at_work == {self._release}, "an old TaskManager would run old code"
            world.jobs[name] = self._release
            world.restored.append((savepoint, take_over))

        world.act("submit", begin)
        return name


class World:
    """A cluster and processes. What is done to them counts as two moments, before and after: at `dies_at` it ends."""

    def __init__(self, folder: Path) -> None:
        self.release, self.dies_at, self.moment = HERE, -1, 0
        self.jobs = {"old": "1"}
        """Id -> the release whose code it runs."""
        self.python = dict.fromkeys(["taskmanager-1", "sms", "gateway"], "1")
        self.restored: list[tuple[str, bool]] = []
        """(from which savepoint, whether it took the lease over) of each job that was submitted."""
        self.triggered: dict[str, str] = {}
        """Trigger -> savepoint."""
        self.fails = 0
        """So many savepoints from now on."""
        self.loading = False
        self.refused: set[str] = set()
        self.done: Counter[str] = Counter()
        self.settings = FleetSettings(
            job=JobSettings(savepoints=folder / "savepoints"),
            processes=[ProcessSettings(name=name, run=[name], ready="127.0.0.1:1") for name in ("sms", "gateway")],
            folder=folder,
        )

    def act(self, what: str, do: Callable[[], object]) -> None:
        self._pass()
        self.done[what] += 1
        do()
        self._pass()

    def _pass(self) -> None:
        self.moment += 1
        if self.moment == self.dies_at:
            raise Died

    # ------------------------------------------------------------------------------------------------------- its jobs
    def stop(self, folder: str, job_id: str | None = None, trigger: str | None = None) -> str:
        assert job_id is not None
        assert trigger is not None

        def end() -> None:
            if self.triggered.setdefault(trigger, "") == "" and not self.fails:
                place = Path(urlsplit(folder).path) / f"savepoint-{len(self.triggered)}"
                place.mkdir(parents=True)
                (place / "_metadata").touch()
                self.triggered[trigger] = str(place)
                del self.jobs[job_id]

        self.act("stop", end)
        if not self.triggered[trigger]:
            self.fails -= 1
            raise SavepointError("no savepoint")
        return self.triggered[trigger]

    def prepare(self, arguments: list[str], *, load: bool) -> Client:
        self.loading = load
        self.act("prepare", lambda: None)
        return Client(self, self.release)

    def until_at_work(self, job_id: str) -> None:
        assert job_id in self.jobs

    # -------------------------------------------------------------------------------------------------- its processes
    def running(self, names: list[str] | None = None) -> Any:
        """Both of a group and of jobs."""
        if names is None:
            return [Job(id_, "marketing", "RUNNING") for id_ in self.jobs]
        return [name for name in names if name in self.python]

    def down(self, names: list[str], report: Callable[[str], None]) -> None:
        for name in names:
            self.act(f"down {name}", lambda name=name: self.python.pop(name, None))

    def dismiss(self, names: list[str]) -> None:
        assert not self.loading, "it would wait for their slots"
        for name in names:
            self.act(f"dismiss {name}", lambda name=name: self.python.pop(name, None))

    def up(self, names: list[str], report: Callable[[str], None]) -> None:
        for name in names:
            if name in self.refused:
                raise ServiceError(f"{name} did not start")
            self.act(f"up {name}", lambda name=name: self.python.setdefault(name, self.release))

    def upgrade(self, *, instead: bool = False) -> list[str]:
        file = JournalFile(self.settings.folder)
        parts = Parts(self, self, SIDES, self, lambda: self.act("package", lambda: None))
        said: list[str] = []
        Upgrade(self.settings, parts, file, begin(file.read(), self.release, instead=instead)).run(said.append)
        return said


def check(world: World) -> None:
    assert list(world.jobs.values()) == [world.release]
    (taskmanagers,) = (side for side in SIDES if world.running(side))
    assert world.python == dict.fromkeys([*taskmanagers, "sms", "gateway"], world.release)
    assert (Path(world.restored[-1][0]) / "_metadata").exists()


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


def test_without_a_job_only_processes_are_restarted(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.settings = FleetSettings(processes=world.settings.processes, folder=tmp_path)
    world.upgrade()
    assert world.done.keys() == {"down sms", "up sms", "down gateway", "up gateway"}
