"""What takes longer than a request: one of a name at a time."""

from __future__ import annotations

from threading import Event

import pytest

from harness.job import eventually
from kairos.apps.console.works import Works
from kairos.errors import KairosError
from kairos.usecases.progress import Progress


def test_a_second_of_the_same_name_is_refused_and_told_so() -> None:
    """It would be lost: the page would tell of the first one's end."""
    works, go_on = Works(), Event()

    def waits(_progress: Progress) -> str:
        return "" if go_on.wait(60) else "nobody came"

    works.start("import", waits)
    with pytest.raises(KairosError, match="being worked on"):
        works.start("import", waits)
    works.start("build", lambda _progress: "too few")
    assert eventually(lambda: works.of("build"), lambda work: work is not None and not work.running)
    go_on.set()
    eventually(lambda: works.of("import"), lambda work: work is not None and not work.running)
    works.start("import", lambda _progress: "")
