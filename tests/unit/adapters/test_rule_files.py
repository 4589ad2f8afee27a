"""Reading a rule folder from the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.rule.load import Unreadable, load
from kairos.engine.rule.text.decode import MAX_BYTES


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_rule_files_by_their_path_and_nothing_else(tmp_path: Path) -> None:
    files = {
        "policy.yaml": "a",
        "activities/t/x.yaml": "b",
        "activities/t/x.test.yaml": "c",
        "templates/x.sms.liquid": "d",
    }
    write(tmp_path, files)
    write(
        tmp_path, {"README.md": "x", ".hidden.yaml": "x", ".git/a.yaml": "x", "activities/t/x.yaml~": "x", "a.txt": "x"}
    )
    assert read_folder(tmp_path) == {name: text.encode() for name, text in files.items()}


def test_misplaced_rule_files_are_read_so_that_lint_can_say_so(tmp_path: Path) -> None:
    write(tmp_path, {"metric.yaml": "a: {count: b}\n", "activities/x.yml": "activity: x\n"})
    assert [f.code for f in load(read_folder(tmp_path)).findings] == ["stray-file", "stray-file"]


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(b"#" * (3 * MAX_BYTES))
    content = read_folder(tmp_path)["policy.yaml"]
    assert isinstance(content, bytes)
    assert len(content) == MAX_BYTES + 1


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: every file is a link into a hidden folder beside it."""
    write(tmp_path, {"..data/policy.yaml": "timezone: UTC\n"})
    (tmp_path / "policy.yaml").symlink_to("..data/policy.yaml")
    assert read_folder(tmp_path) == {"policy.yaml": b"timezone: UTC\n"}


def test_links_out_of_the_folder_are_not(tmp_path: Path) -> None:
    write(tmp_path, {"secret": "hunter2", "rules/policy.yaml": ""})
    (tmp_path / "rules" / "templates").mkdir()
    (tmp_path / "rules" / "templates" / "x.sms.liquid").symlink_to(tmp_path / "secret")
    (tmp_path / "rules" / "activities").symlink_to(tmp_path)
    assert read_folder(tmp_path / "rules") == {
        "policy.yaml": b"",
        "templates/x.sms.liquid": Unreadable("the link leads out of the rule folder"),
    }


def test_links_to_nowhere_and_to_themselves(tmp_path: Path) -> None:
    (tmp_path / "crowds.yaml").symlink_to("nowhere")
    (tmp_path / "policy.yaml").symlink_to("policy.yaml")
    found = read_folder(tmp_path)
    assert found["crowds.yaml"] == Unreadable("cannot be read: No such file or directory")
    assert found["policy.yaml"] == Unreadable("cannot be read: the link leads to itself")
    assert {f.code for f in load(found).findings} == {"unreadable"}


def test_what_is_no_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "policy.yaml")
    (tmp_path / "crowds.yaml").mkdir()
    assert read_folder(tmp_path) == {"policy.yaml": Unreadable("not a regular file")}


def test_file_names_are_bytes(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.yaml")).write_text("")
    (finding,) = load(read_folder(tmp_path)).findings
    assert finding.file == "caf\\xe9.yaml"
    assert str(finding).encode()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        read_folder(tmp_path / "nowhere")
