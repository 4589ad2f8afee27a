"""A world for upgrades: a cluster and processes of which each may die, and what must hold at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kairos.apps.cluster.job import Job, SavepointError
from kairos.apps.fleet.journal import JournalFile, begin
from kairos.apps.fleet.settings import FleetSettings, JobSettings, ProcessSettings
from kairos.apps.fleet.upgrade import Parts, Upgrade
from kairos.apps.native.settings import ServiceError

HERE, THERE = "/releases/2", "/releases/3"
SIDES = ["taskmanager-1"], ["taskmanager-1b"]
TWO = ["taskmanager-1", "taskmanager-2"], ["taskmanager-1b", "taskmanager-2b"]


class Died(BaseException):
    """As kill -9: nothing catches it."""


class Client:
    """Flink's, with the job composed."""

    def __init__(self, world: World, release: str) -> None:
        self._world, self._release = world, release

    def until_ready(self) -> None:
        world = self._world
        world.loading = False
        if world.lost is not None:
            name, world.lost = world.lost, None
            del world.python[name]
            world.move()

    def submit(self, savepoint: str, *, take_over: bool) -> str:
        world = self._world
        name = f"job-{len(world.restored)}"

        def begin() -> None:
            assert not world.jobs, "two would send twice"
            at_work = {world.python[name] for side in world.sides for name in world.running(side)}
            assert at_work == {self._release}, "an old TaskManager would run old code"
            world.jobs[name] = self._release
            world.move()
            world.restored.append((savepoint, take_over))

        world.act("submit", begin)
        return name


class World:
    """A cluster and processes. What is done to them counts as two moments, before and after: at `dies_at` it ends."""

    def __init__(self, folder: Path, sides: tuple[list[str], list[str]] = SIDES) -> None:
        self.sides = sides
        self.release, self.dies_at, self.moment = HERE, -1, 0
        self.jobs = {"old": "1"}
        """Id -> the release whose code it runs."""
        self.python = dict.fromkeys([*sides[0], "sms", "gateway"], "1")
        self.restored: list[tuple[str, bool]] = []
        """(from which savepoint, whether it took the lease over) of each job that was submitted."""
        self.triggered: dict[str, str] = {}
        """Trigger -> savepoint."""
        self.fails = 0
        """So many savepoints from now on."""
        self.loading = False
        self.lost: str | None = None
        """A TaskManager that is to die while the next job is prepared."""
        self.places = {"old": set(sides[0])}
        """Job -> the TaskManagers whose only slot it has."""
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
        assert len(self.places[job_id]) == len(self.sides[0]), "it would wait for a slot"

    def taskmanagers(self, job_id: str) -> set[str]:
        return self.places[job_id]

    def move(self) -> None:
        """Jobs to TaskManagers that are there, in place of those that have gone, as Flink does."""
        there = [name for side in self.sides for name in self.running(side)]
        for job in self.jobs:
            kept = {name for name in self.places.get(job, set()) if name in there}
            free = [name for name in there if name not in kept]
            self.places[job] = kept | set(free[: len(self.sides[0]) - len(kept)])

    # -------------------------------------------------------------------------------------------------- its processes
    def running(self, names: list[str] | None = None) -> Any:
        """Both of a group and of jobs."""
        if names is None:
            return [Job(id_, "marketing", "RUNNING") for id_ in self.jobs]
        return [name for name in names if name in self.python]

    def down(self, names: list[str], report: Callable[[str], None]) -> None:
        for name in names:
            self.act(f"down {name}", lambda name=name: self.python.pop(name, None))
            self.move()

    def dismiss(self, names: list[str]) -> None:
        assert not self.loading, "it would wait for their slots"
        for name in names:
            self.act(f"dismiss {name}", lambda name=name: self.python.pop(name, None))

    def up(self, names: list[str], report: Callable[[str], None]) -> None:
        for name in names:
            if name in self.refused:
                raise ServiceError(f"{name} did not start")
            self.act(f"up {name}", lambda name=name: self.python.setdefault(name, self.release))
            self.move()

    def upgrade(self, *, instead: bool = False) -> list[str]:
        file = JournalFile(self.settings.folder)
        parts = Parts(self, self, self.sides, self, lambda: self.act("package", lambda: None), self, ["heartbeat"])
        said: list[str] = []
        Upgrade(self.settings, parts, file, begin(file.read(), self.release, instead=instead)).run(said.append)
        return said


def check(world: World) -> None:
    assert list(world.jobs.values()) == [world.release]
    (taskmanagers,) = (side for side in world.sides if world.running(side))
    assert world.python == dict.fromkeys([*taskmanagers, "sms", "gateway"], world.release)
    assert (Path(world.restored[-1][0]) / "_metadata").exists()
