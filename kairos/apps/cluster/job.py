"""The job on the standalone cluster: submit it, stop it with a savepoint, resume it."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from kairos.adapters.gate import LOADING
from kairos.adapters.java import first_cause
from kairos.apps.cluster.client import Client, Prepared
from kairos.apps.cluster.cluster import Cluster
from kairos.apps.cluster.package import CODE, ENVIRONMENT, environment_python
from kairos.apps.cluster.services import ask, cancel, order
from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import ServiceError

MAIN = Path("jobs/marketing.py")
ENDED = ("FINISHED", "CANCELED", "FAILED")
LAST = "savepoint"
"""Said instead of a path: the savepoint that the last `stop` wrote."""

LOGS = "the cluster's logs say why"
NO_SLOTS = "NoResourceAvailableException"
AT_WORK_SECONDS = 120.0
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    id: str
    name: str
    state: str


class _Status(msgspec.Struct, frozen=True):
    id: str


class _Cause(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(name="class", default="")
    stack_trace: str = msgspec.field(name="stack-trace", default="")


class _Operation(msgspec.Struct, frozen=True):
    location: str | None = None
    failure_cause: _Cause | None = msgspec.field(name="failure-cause", default=None)


class _Savepoint(msgspec.Struct, frozen=True):
    """What Flink tells of one under way."""

    status: _Status
    operation: _Operation | None = None


class _Failure(msgspec.Struct, frozen=True):
    stacktrace: str = ""


class _History(msgspec.Struct, frozen=True):
    """The newest is first."""

    entries: list[_Failure] = []


class _Failures(msgspec.Struct, frozen=True):
    """What Flink tells of a job's."""

    history: _History = msgspec.field(name="exceptionHistory", default=_History())


class _Read(msgspec.Struct, frozen=True):
    records: int = msgspec.field(name="read-records", default=0)


class _Slots(msgspec.Struct, frozen=True):
    free: int = msgspec.field(name="slots-available")
    total: int = msgspec.field(name="slots-total")


class _Slot(msgspec.Struct, frozen=True):
    job: str = msgspec.field(name="jobId")


class _TaskManager(msgspec.Struct, frozen=True):
    id: str
    slots: list[_Slot] = msgspec.field(name="allocatedSlots", default=[])


class _TaskManagers(msgspec.Struct, frozen=True):
    taskmanagers: list[_TaskManager]


class Task(msgspec.Struct, frozen=True):
    """One operator of a job, or several that Flink has chained. `status`: as Flink says it; SCHEDULED: no slot yet."""

    name: str
    status: str
    metrics: _Read = _Read()


class SavepointError(ServiceError):
    """Flink could not write it; the job runs on."""


class Jobs:
    """All methods raise ServiceError when the cluster is not there, or refuses."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def _last_savepoint(self) -> Path:
        return self._cluster.folder / "last-savepoint"

    def submit(
        self,
        arguments: Sequence[str],
        savepoint: str | None = None,
        ship_environment: bool = False,
        main: Path = MAIN,
    ) -> str:
        """`arguments` go to the program `main`. Returns the job's id. It refuses a savepoint that does not fit.

        `ship_environment`: the TaskManagers use the packed environment instead of the one that runs here.
        """
        if savepoint is not None:
            arguments = [*arguments, "--from", self._resolve(savepoint)]
        self.running()  # says in one line that there is no cluster, where Flink's client takes a minute and a page
        return Client(self._cluster.home, _program(main, arguments, ship_environment)).job()

    def prepare(self, arguments: Sequence[str], *, load: bool) -> Prepared:
        """The marketing job. `load`: Python, in every slot that is free now; they must stay."""
        slots = self._ask("/overview")["slots-available"] if load else 0
        return Prepared(self._cluster.home, _program(MAIN, [*arguments, "--load", str(slots)]))

    def running(self) -> list[Job]:
        """Jobs that have not ended. One that only loads Python is none."""
        jobs = self._ask("/jobs/overview")["jobs"]
        found = [Job(each["jid"], each["name"], each["state"]) for each in jobs] if isinstance(jobs, list) else []
        return [job for job in found if job.state not in ENDED and job.name != LOADING]

    def tasks(self, job_id: str) -> list[Task]:
        return msgspec.convert(self._ask(f"/jobs/{job_id}")["vertices"], list[Task])

    def taskmanagers(self, job_id: str) -> set[str]:
        """Names of those that it has a slot of."""
        known = msgspec.convert(self._ask("/taskmanagers"), _TaskManagers).taskmanagers
        return {each.id for each in known if job_id in self._jobs_in(each.id)}

    def _jobs_in(self, taskmanager: str) -> set[str]:
        try:
            found = msgspec.convert(ask(self._cluster.settings, f"/taskmanagers/{taskmanager}"), _TaskManager)
        except NotReady:  # it has gone meanwhile
            return set()
        return {slot.job for slot in found.slots}

    def slots(self) -> tuple[int, int]:
        """How many are free, and how many there are."""
        found = msgspec.convert(self._ask("/overview"), _Slots)
        return found.free, found.total

    def wait(self, job_id: str, every: Callable[[], object]) -> None:
        """Until the job has ended well. `every` is called between two looks, and waits. Raises ServiceError."""
        while True:
            state = self._ask(f"/jobs/{job_id}")["state"]
            if state == "FINISHED":
                return
            if state in ENDED:
                raise ServiceError(f"job {job_id} has ended as {state}: {self._why(job_id)}")
            every()

    def until_at_work(self, job_id: str) -> None:
        """Until all its tasks run. Raises ServiceError when it has ended, or after a while."""
        limit = time.monotonic() + AT_WORK_SECONDS
        while True:
            job = self._ask(f"/jobs/{job_id}")
            tasks = job["vertices"] if isinstance(job["vertices"], list) else []
            if job["state"] == "RUNNING" and all(task["status"] == "RUNNING" for task in tasks):
                return
            if job["state"] in ENDED or time.monotonic() > limit:
                raise ServiceError(f"job {job_id} is not at work but {job['state']}: {self._why(job_id)}")
            time.sleep(POLL_SECONDS)

    def stop(self, folder: str, job_id: str | None = None, trigger: str | None = None) -> str:
        """Stops with a savepoint below `folder` and returns its path; no id: the only job there is.

        `trigger`: 32 hexadecimal digits. Whoever gives the same ones again waits for what they have begun. Raises
        SavepointError.
        """
        job_id, trigger = job_id or self._only().id, trigger or uuid.uuid4().hex
        wanted = {"targetDirectory": folder, "drain": False, "formatType": "CANONICAL", "triggerId": trigger}
        try:
            order(self._cluster.settings, f"/jobs/{job_id}/stop", wanted)
        except NotReady as error:
            raise ServiceError(f"job {job_id} cannot be stopped: {error}") from None
        path = _path(self._savepoint(job_id, trigger))
        self._last_savepoint.write_text(path)
        return path

    def cancel(self, job_id: str | None = None) -> str:
        """Ends one that can write no savepoint, because it is started again and again; no id: the only job there is.

        Returns its id once it has ended. Its checkpoints stay, so it goes on from the newest.
        """
        job_id = job_id or self._only().id
        try:
            cancel(self._cluster.settings, f"/jobs/{job_id}?mode=cancel")
        except NotReady as error:
            raise ServiceError(f"job {job_id} cannot be ended: {error}") from None
        while self._ask(f"/jobs/{job_id}")["state"] not in ENDED:
            time.sleep(POLL_SECONDS)
        return job_id

    def _savepoint(self, job_id: str, trigger: str) -> str:
        """Of what this trigger has begun, once it is written. Raises SavepointError."""
        while True:
            found = msgspec.convert(self._ask(f"/jobs/{job_id}/savepoints/{trigger}"), _Savepoint)
            if found.status.id == "COMPLETED" and found.operation is not None:
                break
            time.sleep(POLL_SECONDS)
        if found.operation.location is None:
            why = found.operation.failure_cause
            said = first_cause(why.stack_trace, why.kind) if why else "no reason is given"
            raise SavepointError(f"job {job_id} has left no savepoint: {said}")
        return found.operation.location

    def _ask(self, path: str) -> dict[str, object]:
        try:
            return ask(self._cluster.settings, path)
        except NotReady as error:
            raise ServiceError(f"no cluster answers: {error}; 'make cluster-up' starts it") from None

    def _why(self, job_id: str) -> str:
        """Its newest failure: of one that is started again and again as well as of one that has ended."""
        failures = msgspec.convert(self._ask(f"/jobs/{job_id}/exceptions"), _Failures)
        why = first_cause(next((each.stacktrace for each in failures.history.entries), ""), LOGS)
        if NO_SLOTS not in why:
            return why
        free, total = self.slots()
        return f"it takes more slots than the {free} of {total} that are free (job.parallelism, --parallelism): {why}"

    def _only(self) -> Job:
        jobs = self.running()
        if len(jobs) != 1:
            listed = ", ".join(f"{job.id} ({job.name}, {job.state})" for job in jobs) or "none"
            raise ServiceError(f"exactly one job is expected to be running on the cluster; there is {listed}")
        return jobs[0]

    def _resolve(self, savepoint: str) -> str:
        if savepoint != LAST:
            return savepoint
        if not self._last_savepoint.exists():
            raise ServiceError("no savepoint of this cluster is known; 'make stop' writes one")
        return self._last_savepoint.read_text()


def _program(main: Path, arguments: Sequence[str], ship_environment: bool = False) -> list[str]:
    python = ["-pyexec", sys.executable]
    if ship_environment:
        python = ["-pyarch", str(ENVIRONMENT.absolute()), "-pyexec", environment_python()]
    client = ["-pyclientexec", sys.executable, "-pyfs", str(CODE.absolute())]
    return [*client, *python, "-py", str(main), *arguments]


def _path(address: str) -> str:
    """`file:/a/b`, as Flink prints it, -> `/a/b`; other file systems as they are."""
    parts = urlsplit(address)
    return unquote(parts.path) if parts.scheme == "file" else address
