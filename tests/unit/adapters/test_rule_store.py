"""Rule stores: a folder as it is edited, and SQL (here SQLite)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.adapters.rules.store import BrokenReleaseError, RuleStoreError, open_rule_store
from kairos.adapters.rules.store_folder import FolderRuleStore
from kairos.engine.rule.release import activity_version
from tests.unit.adapters import rule_store_contract as contract
from tests.unit.adapters.rule_folder import Folder
from tests.unit.adapters.rule_store_contract import release


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/kairos.db"


@pytest.mark.parametrize(
    "check",
    [
        contract.check_publish_and_poll,
        contract.check_large_release,
        contract.check_overtaken,
        contract.check_broken_row,
    ],
)
def test_sqlite(address: str, check: object) -> None:
    assert callable(check)
    check(address)


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    store = open_rule_store("mysql+pymysql://kairos:secret@127.0.0.1:1/kairos")
    with pytest.raises(
        RuleStoreError, match=r"mysql\+pymysql://kairos:\*\*\*@127.0.0.1:1/kairos does not answer"
    ) as error:
        store.latest(0)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("address", ["nosuch://host/db", "sqlite:/nowhere/at/all://"])
def test_an_address_that_means_nothing_is_refused(address: str) -> None:
    with pytest.raises(RuleStoreError):
        open_rule_store(address).latest(0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "rules")
    folder.write("a")
    return folder


def test_the_first_release_of_a_folder_is_effective_since_ever(folder: Folder) -> None:
    first = folder.store.latest(0)
    assert first is not None
    assert (first.number, first.effective_at, list(first.rules.activities)) == (1, 0, ["a"])
    assert folder.store.latest(1) is None
    assert folder.store.latest(0) == first


def test_what_is_saved_in_a_folder_is_the_next_release(folder: Folder) -> None:
    folder.store.latest(0)
    folder.write("b")
    folder.now = 5_000
    second = folder.store.latest(1)
    assert second is not None
    assert (second.number, second.effective_at, sorted(second.rules.activities)) == (2, 5_000, ["a", "b"])


def test_numbers_go_on_after_a_restart(folder: Folder) -> None:
    found = folder.store.latest(41)
    assert found is not None
    assert (found.number, found.effective_at) == (42, 1_000)


def test_a_broken_folder_is_reported_once_and_the_last_good_release_stays(folder: Folder) -> None:
    first = folder.store.latest(0)
    (folder.path / "activities/t/a.yaml").write_text("activity: a\n")
    with pytest.raises(BrokenReleaseError) as error:
        folder.store.latest(1)
    assert error.value.number == 2
    assert [finding.file for finding in error.value.findings] == ["activities/t/a.yaml"]
    assert "activities/t/a.yaml:1:1: error: " in str(error.value)
    assert folder.store.latest(1) is None
    assert folder.store.latest(0) == first
    folder.write("a", priority=7)
    repaired = folder.store.latest(1)
    assert repaired is not None
    assert (repaired.number, repaired.rules.activities["a"].priority) == (2, 7)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuleStoreError, match=r"the rule folder .*nosuch"):
        FolderRuleStore(tmp_path / "nosuch").latest(0)


def test_a_drained_definition_goes_along_until_its_matches_are_over(folder: Folder) -> None:
    first = folder.store.latest(0)
    assert first is not None
    version = activity_version(first.rules.activities["a"])
    folder.write("a", priority=60, on_change="drain")
    folder.now = 10_000
    second = folder.store.latest(1)
    assert second is not None
    assert second.draining == {version: first.rules.activities["a"]}
    assert second.drain_until == {version: 10_000 + 600_000}
    folder.write("b")
    folder.now = 609_999
    third = folder.store.latest(2)
    assert third is not None
    assert version in third.draining
    folder.write("c")
    folder.now = 610_000
    fourth = folder.store.latest(3)
    assert fourth is not None
    assert fourth.draining == {}


def test_publishing_to_a_folder_makes_it_the_published_one(folder: Folder, tmp_path: Path) -> None:
    source = Folder(tmp_path / "source")
    source.write("a", priority=9)
    source.write("n")
    folder.write("gone")
    (folder.path / "README").write_text("not a rule")
    folder.store.latest(0)
    files = {name: content for name, content in read_folder(source.path).items() if isinstance(content, bytes)}
    folder.store.publish(release(2), files, "ann")
    assert read_folder(folder.path) == files
    assert (folder.path / "README").exists()
    assert folder.store.latest(1) == release(2)


def test_what_was_published_keeps_its_number_over_restarts(folder: Folder) -> None:
    files = {name: content for name, content in read_folder(folder.path).items() if isinstance(content, bytes)}
    folder.store.publish(release(7), files, "ann")
    assert FolderRuleStore(folder.path).latest(0) == release(7)
    assert FolderRuleStore(folder.path).latest(7) is None
    folder.write("b")
    edited = FolderRuleStore(folder.path, lambda: 9_000).latest(7)
    assert edited is not None
    assert (edited.number, edited.effective_at, sorted(edited.rules.activities)) == (8, 9_000, ["a", "b"])


def test_who_planned_against_an_older_release_must_look_again(folder: Folder) -> None:
    folder.store.publish(release(7), {}, "ann")
    with pytest.raises(RuleStoreError, match="release 7 was published meanwhile"):
        folder.store.publish(release(7, priority=9), {}, "bob")


def test_an_edit_is_drained_and_counted_from_what_was_published(folder: Folder) -> None:
    first = folder.store.latest(0)
    assert first is not None
    files = {name: content for name, content in read_folder(folder.path).items() if isinstance(content, bytes)}
    folder.store.publish(first, files, "ann")
    folder.write("a", priority=60, on_change="drain")
    second = FolderRuleStore(folder.path).latest(1)
    assert second is not None
    assert list(second.draining) == [activity_version(first.rules.activities["a"])]


def test_what_is_published_again_after_an_edit_gets_a_new_number(folder: Folder) -> None:
    files = {name: content for name, content in read_folder(folder.path).items() if isinstance(content, bytes)}
    folder.store.publish(release(2), files, "ann")
    assert folder.store.latest(0) == release(2)
    folder.write("b")
    edited = folder.store.latest(2)
    assert edited is not None
    assert edited.number == 3
    folder.store.publish(release(3), files, "ann")
    back = folder.store.latest(3)
    assert back is not None
    assert (back.number, sorted(back.rules.activities)) == (4, ["a"])


def test_a_note_that_means_nothing_is_no_note(folder: Folder) -> None:
    (folder.path / ".kairos-release").write_bytes(b"rubbish")
    found = folder.store.latest(0)
    assert found is not None
    assert found.number == 1


def test_a_folder_that_is_just_being_published_is_left_alone(folder: Folder) -> None:
    descriptor = os.open(folder.path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert folder.store.latest(0) is None
    finally:
        os.close(descriptor)
    assert folder.store.latest(0) is not None
