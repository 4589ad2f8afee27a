"""How far the job's time is: the least watermark of its operators, as Flink's REST API tells it."""

from __future__ import annotations

import json
import logging
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 3.0
_LEAST = 0
"""Before its first record an operator has the least number that there is."""

log = logging.getLogger(__name__)


class JobTime:
    """`url`: of the JobManager. Where nobody answers, or no job runs, time stands where it stood."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._last: int | None = None

    def __call__(self) -> int | None:
        """Epoch ms; None: nobody has ever known."""
        try:
            jobs = [job["jid"] for job in self._ask("/jobs/overview")["jobs"] if job["state"] == "RUNNING"]
            found = [value for job in jobs for value in self._watermarks(job)]
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the job's watermark is not to be had: %s", error)
            return self._last
        if found:
            self._last = min(found)
        return self._last

    def _watermarks(self, job: str) -> list[int]:
        vertices = [vertex["id"] for vertex in self._ask(f"/jobs/{job}")["vertices"]]
        told = [each for vertex in vertices for each in self._ask(f"/jobs/{job}/vertices/{vertex}/watermarks")]
        return [value for each in told if (value := int(each["value"])) > _LEAST]

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(self._url + path, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)
