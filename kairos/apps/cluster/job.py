"""The job on the standalone cluster: submit it, stop it with a savepoint, resume it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kairos.apps.cluster.cluster import Cluster
from kairos.apps.cluster.package import CODE, ENVIRONMENT, environment_python
from kairos.apps.cluster.services import ask
from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import ServiceError

MAIN = Path("jobs/marketing.py")
LAST = "savepoint"
"""Said instead of a path: the savepoint that the last `stop` wrote."""

_SUBMITTED = re.compile(r"JobID ([0-9a-f]{32})")
_SAVEPOINT = re.compile(r"Savepoint completed\. Path: (\S+)")


@dataclass(frozen=True)
class Job:
    id: str
    name: str
    state: str


class Jobs:
    """All methods raise ServiceError when the cluster is not there, or refuses."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def _last_savepoint(self) -> Path:
        return self._cluster.folder / "last-savepoint"

    def submit(self, arguments: Sequence[str], savepoint: str | None = None, ship_environment: bool = False) -> str:
        """`arguments` go to the job's program. Returns the job's id. The program refuses a savepoint that does not fit.

        `ship_environment`: the TaskManagers use the packed environment instead of the one that runs here.
        """
        if savepoint is not None:
            arguments = [*arguments, "--from", self._resolve(savepoint)]
        python = ["-pyexec", sys.executable]
        if ship_environment:
            python = ["-pyarch", str(ENVIRONMENT.absolute()), "-pyexec", environment_python()]
        client = ["-pyclientexec", sys.executable, "-pyfs", str(CODE.absolute())]
        output = self._flink("run", "-d", *client, *python, "-py", str(MAIN), *arguments)
        found = _SUBMITTED.search(output)
        if found is None:
            raise ServiceError(f"Flink did not say under which id the job runs:\n{output}")
        return found[1]

    def running(self) -> list[Job]:
        """Jobs that have not ended."""
        try:
            jobs = ask(self._cluster.settings, "/jobs/overview")["jobs"]
        except NotReady as error:
            raise ServiceError(f"no cluster answers: {error}; 'make cluster-up' starts it") from None
        ended = ("FINISHED", "CANCELED", "FAILED")
        found = [Job(each["jid"], each["name"], each["state"]) for each in jobs] if isinstance(jobs, list) else []
        return [job for job in found if job.state not in ended]

    def stop(self, folder: str, job_id: str | None = None) -> str:
        """Stops with a savepoint below `folder` and returns its path; no id: the only job there is."""
        job_id = job_id or self._only().id
        output = self._flink("stop", "-p", folder, job_id)
        found = _SAVEPOINT.search(output)
        if found is None:
            raise ServiceError(f"Flink did not say where the savepoint is:\n{output}")
        path = _path(found[1])
        self._last_savepoint.write_text(path)
        return path

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

    def _flink(self, *arguments: str) -> str:
        self.running()  # says in one line that there is no cluster, where Flink's client takes a minute and a page
        home = self._cluster.home
        done = subprocess.run(
            [home.script("flink"), *arguments],
            env=home.full_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            raise ServiceError(_readable(done.stdout))
        return done.stdout


def _path(address: str) -> str:
    """`file:/a/b`, as Flink prints it, -> `/a/b`; other file systems as they are."""
    parts = urlsplit(address)
    return unquote(parts.path) if parts.scheme == "file" else address


def _readable(output: str) -> str:
    """Our own program's words where it said something, else what Flink said without Java's stack."""
    lines = output.splitlines()
    ours = [line.removeprefix("kairos: ") for line in lines if line.startswith("kairos: ")]
    rest = [line for line in lines if line.strip() and not line.startswith(("\tat ", "\t... "))]
    return "\n".join(ours or ["Flink's client failed:", *rest[-25:]])
