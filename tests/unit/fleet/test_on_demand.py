"""A service that is started only by its name: once it was, it is wanted until somebody stops it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from kairos.apps.native.group import Group


class Sleeper:
    name = "sleeper"
    address = "nowhere"
    ports: Sequence[int] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None: ...

    def command(self) -> list[str]:
        return [sys.executable, "-c", "import signal; signal.pause()"]

    def environment(self) -> dict[str, str]:
        return {}

    def check(self) -> str:
        return ""


def states(group: Group) -> list[tuple[str, str]]:
    return [(row.name, row.state) for row in group.status()]


def test_one_that_has_died_is_told_and_comes_back_with_the_others(tmp_path: Path) -> None:
    group = Group(tmp_path, [], on_demand=[Sleeper(tmp_path)])
    try:
        group.up()
        assert states(group) == []
        group.up(["sleeper"])
        (row,) = group.status()
        assert row.pid is not None
        child = psutil.Process(row.pid)
        os.kill(child.pid, signal.SIGKILL)
        child.wait(30)
        assert states(group) == states(group) == [("sleeper", "down")]
        group.up()
        assert states(group) == [("sleeper", "up")]
        group.kill("sleeper")
        assert states(group) == [("sleeper", "down")]
    finally:
        group.down()
    assert states(group) == []
    group.up()
    assert states(group) == []
