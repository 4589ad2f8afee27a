"""A story that is told, and then spoilt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.unit.audit.story import Story, found

Tell = Callable[[Story], None]


def found_where_spoilt(tell: Tell, spoil: Tell, check: str, what: str, folder: Path) -> None:
    """Nothing is found in the story as it is told, and just this once it is spoilt."""
    story = Story()
    tell(story)
    assert found(story.audit(folder / "clean")) == {}
    spoil(story)
    problems = found(story.audit(folder / "spoilt"))
    assert set(problems) == {check}, problems
    assert len(problems[check]) == 1, problems
    assert what in problems[check][0]
