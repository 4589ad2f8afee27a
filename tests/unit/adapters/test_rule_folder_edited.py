"""A rule folder in which somebody types: what is half written is no release."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.adapters.rules.store import BrokenReleaseError, RuleStoreError
from kairos.adapters.rules.store_folder import FolderRuleStore
from tests.unit.adapters.rule_folder import RULE, Folder
from tests.unit.adapters.rule_store_contract import release


class Edited(Folder):
    """Somebody types in it; who waits for it lets time pass."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.now = int(time.time() * 1000)
        self.waits = 0
        self.store = FolderRuleStore(path, lambda: self.now, still=2_000, wait=self.wait)

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.now += int(seconds * 1000)


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    folder = Edited(tmp_path / "rules")
    folder.write("a")
    folder.now = int(time.time() * 1000)
    return folder


def test_an_edit_counts_once_the_folder_is_still(edited: Edited) -> None:
    assert edited.store.latest(0) is not None
    text = RULE.format(name="a", priority=50, on_change="keep") + "limits: {once: ever}\n"
    file = edited.path / "activities/t/a.yaml"
    file.write_text(text.replace("limits: {once: ever}\n", "title: without limits\n"))
    assert edited.store.latest(1) is None
    edited.now += 1_999
    assert edited.store.latest(1) is None
    file.write_text(text)
    edited.now += 1
    assert edited.store.latest(1) is None
    edited.now += 2_000
    second = edited.store.latest(1)
    assert second is not None
    assert (second.rules.activities["a"].limits.once, second.rules.activities["a"].title) == ("ever", "")


def test_what_is_broken_while_somebody_types_is_no_release_and_no_trouble(edited: Edited) -> None:
    edited.store.latest(0)
    (edited.path / "activities/t/a.yaml").write_text("activity: a\n")
    assert edited.store.latest(1) is None
    edited.now += 2_000
    with pytest.raises(BrokenReleaseError):
        edited.store.latest(1)


def test_a_text_that_comes_and_goes_is_not_still(edited: Edited) -> None:
    edited.store.latest(0)
    edited.write("b")
    assert edited.store.latest(1) is None
    (edited.path / "activities/t/b.yaml").unlink()
    edited.now += 1_000
    assert edited.store.latest(1) is None
    edited.write("b")
    edited.now += 1_000
    assert edited.store.latest(1) is None


def test_whoever_begins_waits_until_the_folder_is_still(edited: Edited) -> None:
    assert edited.store.latest(0) is not None
    assert edited.waits == 1
    later = Edited(edited.path)
    later.now += 10_000
    assert later.store.latest(0) is not None
    assert later.waits == 0


def test_a_folder_that_is_never_still_is_named(edited: Edited) -> None:
    def write(seconds: float) -> None:
        edited.wait(seconds)
        edited.write("a", priority=edited.waits)

    store = FolderRuleStore(edited.path, lambda: edited.now, wait=write)
    with pytest.raises(RuleStoreError, match="changed all the time"):
        store.latest(0)


def test_what_was_published_counts_at_once(edited: Edited) -> None:
    files = {name: content for name, content in read_folder(edited.path).items() if isinstance(content, bytes)}
    edited.store.publish(release(2), files, "ann")
    assert edited.store.latest(0) == release(2)
    assert edited.waits == 0


@pytest.mark.parametrize(
    "name",
    [".a.yaml.swp", "a.yaml~", ".#a.yaml", "#a.yaml#", "4913", "a.yaml.tmp", ".a.yaml.kate-swp", ".goutputstream-X"],
)
def test_what_editors_leave_for_a_while_is_no_rule(edited: Edited, name: str) -> None:
    first = edited.store.latest(0)
    (edited.path / "activities/t" / name).write_text("activity: {")
    edited.now += 5_000
    assert edited.store.latest(1) is None
    assert edited.store.latest(0) == first
