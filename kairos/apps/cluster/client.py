"""Flink's client, at work on the program that composes a job."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from kairos.adapters.gate import Gate, Start
from kairos.apps.cluster.home import Home
from kairos.apps.native.settings import ServiceError

_SUBMITTED = re.compile(r"JobID ([0-9a-f]{32})")


class Client:
    """`words`: after `flink run -d`."""

    def __init__(self, home: Home, words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        self._process = subprocess.Popen(
            [home.script("flink"), "run", "-d", *words],
            env={**home.full_environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    def lives(self) -> bool:
        return self._process.poll() is None

    def job(self) -> str:
        """The id of the job, once it is submitted. Raises ServiceError."""
        code = self._process.wait()
        with self._said:
            self._said.seek(0)
            output = self._said.read().decode("utf-8", "replace")
        if code != 0:
            raise ServiceError(_readable(output))
        submitted = _SUBMITTED.findall(output)
        if not submitted:
            raise ServiceError(f"Flink did not say under which id the job runs:\n{output}")
        return str(submitted[-1])  # what only loads Python comes before


class Prepared:
    """A job that is composed, and submitted when it is told from where. It is given up when this process dies."""

    def __init__(self, home: Home, words: Sequence[str]) -> None:
        self._gate = Gate()
        self._client = Client(home, words, self._gate.environment)

    def until_ready(self) -> None:
        """Raises ServiceError: what stands in its way."""
        if not self._gate.reached(self._client.lives):
            raise ServiceError(f"Flink's client ended before it was to submit the job {self._client.job()}")

    def submit(self, savepoint: str, *, take_over: bool) -> str:
        """Returns the job's id. Raises ServiceError."""
        self.until_ready()
        try:
            self._gate.open(Start(savepoint, take_over))
        except OSError as error:
            raise ServiceError(f"Flink's client has died: {error}") from None
        return self._client.job()


def _readable(output: str) -> str:
    """Our own program's words where it said something, else what Flink said without Java's stack."""
    lines = output.splitlines()
    ours = [line.removeprefix("kairos: ") for line in lines if line.startswith("kairos: ")]
    rest = [line for line in lines if line.strip() and not line.startswith(("\tat ", "\t... "))]
    return "\n".join(ours or ["Flink's client failed:", *rest[-25:]])
