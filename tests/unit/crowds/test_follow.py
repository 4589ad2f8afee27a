"""A builder of crowds that stays."""

from __future__ import annotations

from kairos.apps.crowds.follow import LOOK_SECONDS, follow
from kairos.errors import KairosError
from tests.unit.cli.cli_kit import run


def test_it_builds_each_minute_whatever_goes_wrong_in_between() -> None:
    said: list[str] = []
    waited: list[float] = []

    def build() -> None:
        if len(waited) == 1:
            raise KairosError("the warehouse is away")

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) == 3

    follow(build, wait, said.append)
    assert waited == [LOOK_SECONDS] * 3
    assert said == ["the warehouse is away"]


def test_it_stays_for_what_is_due_alone() -> None:
    done = run("crowds", "build", "--follow")
    assert (done.exit_code, done.stderr) == (2, "kairos: --follow goes with --due, and without --as-of\n")
