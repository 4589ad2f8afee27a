"""A rule folder that is read and parsed once, for as long as nothing in it is another."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kairos.adapters.rules import parsed as module
from kairos.adapters.rules.files import read_folder
from kairos.adapters.rules.parsed import Read, content_of, parsed, read_kept
from kairos.engine.rule.blast import Blast, blast_files
from kairos.usecases.rules import blast as blasts
from kairos.usecases.rules import draft
from kairos.usecases.rules.lint import lint

ACTIVITY = b"activity: a\nstate: live\ntrigger: {event: cart}\n"
PLACE = "activities/all/a.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "rules" / PLACE
    file.parent.mkdir(parents=True)
    file.write_bytes(ACTIVITY)
    return tmp_path / "rules"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which folders were read."""
    found: list[Path] = []
    monkeypatch.setattr(module, "read_folder", lambda path: found.append(path) or read_folder(path))
    return found


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long after every change that the times of files tell all of them apart."""
    monkeypatch.setattr(module.time, "time_ns", lambda now=time.time_ns: now() + 3_600_000_000_000)


def _edit(folder: Path) -> None:
    (folder / PLACE).write_bytes(ACTIVITY + b"priority: 60\n")


def _replace_by_as_many_bytes(folder: Path) -> None:
    (folder / "draft").write_bytes(ACTIVITY.replace(b"cart", b"item"))
    (folder / "draft").replace(folder / PLACE)


def _add(folder: Path) -> None:
    (folder / "policy.yaml").write_text("timezone: UTC\n")


def _remove(folder: Path) -> None:
    (folder / PLACE).unlink()


def _rename(folder: Path) -> None:
    (folder / "activities" / "all").rename(folder / "activities" / "shop")


def _lead_elsewhere(folder: Path) -> None:
    """As a mounted ConfigMap does: the link stays, what it leads to is another file."""
    (folder / "..new").symlink_to("..2")
    (folder / "..new").replace(folder / "..data")


@pytest.mark.usefixtures("_later")
@pytest.mark.parametrize("change", [_edit, _replace_by_as_many_bytes, _add, _remove, _rename, _lead_elsewhere])
def test_it_is_read_anew_after_any_change_and_only_then(
    change: Callable[[Path], None], folder: Path, reads: list[Path]
) -> None:
    for number, text in enumerate((b"timezone: UTC\n", b"timezone: CET\n"), 1):
        (folder / f"..{number}").mkdir()
        (folder / f"..{number}" / "linked.yaml").write_bytes(text)
    (folder / "..data").symlink_to("..1")
    (folder / "linked.yaml").symlink_to("..data/linked.yaml")
    before = [read_kept(folder) for _ in range(3)]
    assert len(reads) == 1
    change(folder)
    after = [read_kept(folder) for _ in range(3)]
    assert len(reads) == 2
    assert [each.files for each in after] == [read_folder(folder)] * 3
    assert before[0].content == content_of(before[0].files) != after[0].content == content_of(after[0].files)


@pytest.mark.usefixtures("_later")
def test_who_writes_in_it_has_it_read_once(folder: Path, reads: list[Path]) -> None:
    """Every look at a draft, and at a broadcast that is none yet."""
    assert draft.paths(folder) == [PLACE]
    text = draft.draft_of(folder, PLACE).text
    assert draft.look_through(folder, PLACE, text + "priority: 60\n", 0).rules is not None
    assert lint(folder, 0).rules is not None
    blast = Blast(name="spring", theme="all", channel="console", at="2026-12-12T10:00", text="Hi")
    assert "activities/all/spring.yaml" in blast_files(blast)
    assert blasts.look_through(folder, blast, 0).rules is not None
    assert len(reads) == 1


def test_what_has_just_been_written_is_not_believed_to_stay(folder: Path, reads: list[Path]) -> None:
    for _ in range(3):
        read_kept(folder)
    assert len(reads) == 3


def test_the_same_files_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads, load = list[int](), module.load
    monkeypatch.setattr(module, "load", lambda files: loads.append(len(files)) or load(files))
    paused = ACTIVITY.replace(b"live", b"paused")
    for text in (ACTIVITY, ACTIVITY, paused, ACTIVITY):
        files = {PLACE: text}
        rules = parsed(Read(files, content_of(files))).rules
        assert rules is not None
        assert rules.activities["a"].state == ("paused" if text == paused else "live")
    assert len(loads) == 2
