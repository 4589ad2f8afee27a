"""From one release to another: the job by a savepoint, then the processes around it, one by one.

What the next job needs is there before the one that runs is stopped: its TaskManagers, with Python loaded, and Flink's
client, with the job composed. Each step may be done again, and is noted when it is done; so whoever starts after a
death goes on where that was.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence, Set
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from kairos.apps.cluster.job import Job, SavepointError
from kairos.apps.fleet.journal import Journal, JournalFile
from kairos.apps.fleet.settings import FleetSettings
from kairos.apps.native.settings import ServiceError

Report = Callable[[str], None]

PACKAGE, PREPARE, STOP = "package the code", "prepare the next job", "stop the job"
RETIRE, RESUME = "stop its TaskManagers", "resume the job"


class PreparedJob(Protocol):
    """Of `kairos.apps.cluster.client.Prepared` what an upgrade needs."""

    def until_ready(self) -> None: ...
    def submit(self, savepoint: str, *, take_over: bool) -> str: ...


class RunningJobs(Protocol):
    """Of `kairos.apps.cluster.job.Jobs` what an upgrade needs."""

    def running(self) -> list[Job]: ...
    def prepare(self, arguments: list[str], *, load: bool) -> PreparedJob: ...
    def stop(self, folder: str, job_id: str | None = None, trigger: str | None = None) -> str: ...
    def until_at_work(self, job_id: str) -> None: ...
    def taskmanagers(self, job_id: str) -> set[str]: ...


class Restarts(Protocol):
    """Of a group of processes what an upgrade needs."""

    def running(self, names: list[str]) -> list[str]: ...
    def down(self, names: list[str], report: Report) -> None: ...
    def up(self, names: list[str], report: Report) -> None: ...


class TaskManagers(Restarts, Protocol):
    """Of a cluster what an upgrade needs. `dismiss`: returns when no job can be given to them, before they are gone."""

    def dismiss(self, names: list[str]) -> None: ...


class Step(NamedTuple):
    name: str
    do: Callable[[], str | None]
    """Returns what there is to say about it."""


class Parts(NamedTuple):
    """What is upgraded. `sides`: names of TaskManagers; the job is on those of one side. `package`: writes the code
    where the job is submitted from. `stack`: the servers beside all this, and those of them that are Kairos."""

    jobs: RunningJobs
    cluster: TaskManagers
    sides: tuple[list[str], list[str]]
    processes: Restarts
    package: Callable[[], object]
    stack: Restarts
    of_stack: Sequence[str]


class Upgrade:
    def __init__(self, settings: FleetSettings, parts: Parts, file: JournalFile, journal: Journal) -> None:
        self._settings, self._parts = settings, parts
        self._file, self._journal = file, journal
        if journal.of_stack is None:
            journal.of_stack = parts.stack.running([*parts.of_stack])
        self._prepared: PreparedJob | None = None
        self._stopped_at: float | None = None

    def plan(self) -> Iterator[tuple[str, bool]]:
        """Each step, and whether it is done."""
        for step in self._steps():
            yield step.name, step.name in self._journal.done

    def run(self, report: Report) -> None:
        """Raises ServiceError: what is left undone then is done by the next run."""
        if PREPARE not in self._journal.done:  # the code may have been mended since it was packed
            self._journal.done = [name for name in self._journal.done if name != PACKAGE]
        self._note()
        steps = self._steps()
        for number, step in enumerate(steps, 1):
            if step.name in self._journal.done:
                report(f"{number}/{len(steps)} {step.name}: done before")
                continue
            report(f"{number}/{len(steps)} {step.name} ...")
            begun = time.monotonic()
            said = step.do()
            self._journal.done.append(step.name)
            self._note()
            report(f"{number}/{len(steps)} {step.name}: {time.monotonic() - begun:.1f} s{f', {said}' if said else ''}")
        self._journal.over = True
        self._note()

    def _steps(self) -> list[Step]:
        steps = []
        if self._settings.job is not None:
            steps += [Step(PACKAGE, self._package), Step(PREPARE, self._prepare), Step(STOP, self._stop)]
            steps += [Step(RETIRE, self._retire), Step(RESUME, self._resume)]
        for process in self._settings.processes:
            steps.append(Step(f"restart {process.name}", partial(_restart, self._parts.processes, process.name)))
        for name in self._journal.of_stack or ():
            steps.append(Step(f"restart {name} of the stack", partial(_restart, self._parts.stack, name)))
        return steps

    def _note(self) -> None:
        self._file.write(self._journal)

    def _package(self) -> None:
        try:
            self._parts.package()
        except OSError as error:
            raise ServiceError(f"the code cannot be packed: {error}") from None

    def _prepare(self) -> None:
        """A TaskManager keeps the Python code of its first job, so the next job has others. They are started anew even
        where they run: who has tried before may have had other code, or the job that runs has taken them for one of its
        own that had died. So that is started first."""
        jobs, journal = self._parts.jobs, self._journal
        running = self._find_job()
        job = journal.job if journal.job in running else None
        journal.taskmanagers = self._next_taskmanagers(jobs.taskmanagers(job) if job else set())
        self._note()
        if job:
            self._parts.cluster.up(self._old_taskmanagers, lambda line: None)
        self._parts.cluster.down(journal.taskmanagers, lambda line: None)
        if job:
            jobs.until_at_work(job)
        self._parts.cluster.up(journal.taskmanagers, lambda line: None)
        try:
            self._client(load=True).until_ready()
        except ServiceError:
            self._check_places(job)  # where one is taken, this says more than that Python finds no slot
            raise
        self._check_places(job)

    def _check_places(self, job: str | None) -> None:
        """Raises ServiceError where the job that runs has gone to a TaskManager of the next: old code is there now."""
        taken = set(self._journal.taskmanagers) & self._parts.jobs.taskmanagers(job) if job else set()
        if taken:
            raise ServiceError(
                f"a TaskManager died meanwhile, and its job has gone on in {', '.join(sorted(taken))}, made ready for "
                "the next one. Run the command again: it starts what died, and makes ready anew"
            )

    def _next_taskmanagers(self, places: Set[str]) -> list[str]:
        """`places`: TaskManagers that the job which runs has slots of."""
        first, second = self._parts.sides
        taken = [side for side in (first, second) if places & set(side)]
        if len(taken) == 1:
            return second if taken == [first] else first
        if not self._parts.cluster.running(second):
            return second
        if not self._parts.cluster.running(first):
            return first
        return self._journal.taskmanagers or second

    def _client(self, *, load: bool = False) -> PreparedJob:
        """One that a run of before had has ended with it; what it has loaded is still there."""
        if self._prepared is None:
            assert self._settings.job is not None
            self._prepared = self._parts.jobs.prepare(self._settings.job.arguments, load=load)
        return self._prepared

    def _find_job(self) -> list[str]:
        """Notes which job is to be stopped; returns those that run."""
        journal = self._journal
        running = [job.id for job in self._parts.jobs.running()]
        if journal.job is None or (running and journal.job not in running):
            # In the second case an upgrade in whose place this one is had begun its job already.
            if len(running) != 1:
                raise ServiceError(f"one job is expected to be running on the cluster; there are {len(running)}")
            journal.job, journal.savepoint, journal.submitted = running[0], None, False
            journal.trigger = uuid.uuid4().hex
            self._note()
        return running

    def _stop(self) -> str:
        """The savepoints of a job that an upgrade stops have a folder of their own: so one is found of which nobody
        has heard. One that is being written is waited for, by what it was triggered with."""
        journal = self._journal
        running = self._find_job()
        assert journal.job is not None
        folder = self._savepoints / f"upgrade-{journal.job}"
        if journal.job in running:
            self._client().until_ready()
            self._stopped_at = time.monotonic()
            journal.savepoint = self._stopped(folder.as_uri(), journal.job)
        elif journal.savepoint is None:
            journal.savepoint = newest_savepoint(folder)
        return f"savepoint {journal.savepoint}"

    def _stopped(self, folder: str, job: str) -> str:
        try:
            return self._parts.jobs.stop(folder, job, self._journal.trigger)
        except SavepointError:
            self._journal.trigger = uuid.uuid4().hex  # what the old one had begun is over
            self._note()
            raise

    @property
    def _savepoints(self) -> Path:
        assert self._settings.job is not None
        return self._settings.job.savepoints.absolute()

    def _retire(self) -> None:
        """So the next job is not given to one of them."""
        self._client()  # makes ready meanwhile, where a run of before had one and died
        self._parts.cluster.dismiss(self._old_taskmanagers)

    @property
    def _old_taskmanagers(self) -> list[str]:
        return [name for side in self._parts.sides for name in side if name not in self._journal.taskmanagers]

    def _resume(self) -> str:
        """Its predecessor has ended, so the first who submits need not wait for its lease. Where somebody has tried
        before, that client may still be at work: then the lease tells."""
        jobs, journal = self._parts.jobs, self._journal
        successors = [job.id for job in jobs.running() if job.id != journal.job]
        if not successors:
            assert journal.savepoint is not None
            self._parts.cluster.dismiss(self._old_taskmanagers)  # whoever watches over them may have them back by now
            self._parts.cluster.up(journal.taskmanagers, lambda line: None)
            self._client().until_ready()
            take_over, journal.submitted = not journal.submitted, True
            self._note()
            successors = [self._client().submit(journal.savepoint, take_over=take_over)]
        jobs.until_at_work(successors[0])
        gap = "" if self._stopped_at is None else f"; no job for {time.monotonic() - self._stopped_at:.1f} s"
        self._parts.cluster.down(self._old_taskmanagers, lambda line: None)  # until they are gone
        return f"job {successors[0]} is at work{gap}"


def _restart(group: Restarts, name: str) -> None:
    group.down([name], lambda line: None)
    group.up([name], lambda line: None)


def newest_savepoint(folder: Path) -> str:
    """The newest complete one. Raises ServiceError."""
    complete = sorted(folder.glob("*/_metadata"), key=lambda file: file.stat().st_mtime)
    if not complete:
        raise ServiceError(
            f"the job has ended and left no savepoint in {folder}. Submit it from its newest checkpoint ("
            "`kairos cluster submit --from PATH`), then upgrade"
        )
    return str(complete[-1].parent)
