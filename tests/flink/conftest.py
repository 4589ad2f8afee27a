"""Live jobs on real Kafka, with topics of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.job import LiveJob
from kairos.apps.stack import Stack


@pytest.fixture(scope="module")
def live_job(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LiveJob]]:
    """`live_job(rules, "section.key=value", ...)`: on the shared stack; killed at the end of the module."""
    made = []

    def make(rules: Path, *overrides: str, bootstrap: str = stack.settings.kafka) -> LiveJob:
        made.append(LiveJob(tmp_path_factory.mktemp("job"), bootstrap, rules, overrides))
        return made[-1]

    yield make
    for job in made:
        job.close()
