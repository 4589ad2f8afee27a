"""A bounded job on the cluster: what it waits for and how far it is, said while it lasts; who interrupts ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kairos.apps.cluster.job import Jobs, Task

WAITING = frozenset({"CREATED", "SCHEDULED"})
"""States of a task that no TaskManager has yet."""


def run_batch(
    jobs: Jobs,
    main: Path,
    arguments: Sequence[str],
    step: str,
    parts: int,
    say: Callable[[str], object],
    pause: Callable[[], object],
) -> None:
    """Until it has ended well. `step`: the operator that does the work, of so many `parts`. Raises ServiceError, and
    KeyboardInterrupt once the job has ended with whoever has waited for it."""
    job, said = jobs.submit(arguments, main=main), ""

    def look() -> None:
        nonlocal said
        stands = _stands(jobs, jobs.tasks(job), step, parts)
        if stands != said:
            said = stands
            say(f"job {job}: {stands}")
        pause()

    try:
        jobs.wait(job, look)
    except KeyboardInterrupt:
        jobs.cancel(job)
        say(f"job {job} has ended: it was interrupted")
        raise


def _stands(jobs: Jobs, tasks: Sequence[Task], step: str, parts: int) -> str:
    if any(task.status in WAITING for task in tasks):
        free, total = jobs.slots()
        return f"it waits for a slot: {free} of the cluster's {total} are free"
    begun = max((task.metrics.records for task in tasks if task.name.startswith(step)), default=0)
    return f"{min(begun, parts):,} of {parts:,} parts are begun"
