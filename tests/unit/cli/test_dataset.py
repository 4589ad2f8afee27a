"""The example data: taken out of the package, checked, turned into envelopes and profiles."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.files import package_file
from kairos.engine.event import event_of
from kairos.usecases.operation.dataset import cdnow as dataset_cdnow
from kairos.usecases.operation.dataset import clickstream as dataset
from kairos.usecases.operation.dataset.cdnow import CDNOW
from kairos.usecases.operation.dataset.clickstream import ECOM, DatasetError, prepare, to_events, to_profiles
from kairos.usecases.operation.dataset.made_up_profiles import made_up_profile

HEADER = "user_id,session_id,event,timestamp,platform,acquisition_channel,user_cohort,user_lifecycle"
LINES = (
    "user_0001,sess_2,purchase,2024-03-31 01:00:00,mobile,email,2024-01,new",
    "user_0000,sess_1,home,2024-03-13 10:21:14,desktop,organic,2024-02,returning",
    "user_0000,sess_1,catalog,2024-03-13 10:21:14,desktop,organic,2024-02,returning",
)
ROWS = [dict(zip(HEADER.split(","), line.split(","), strict=True)) for line in LINES]


def a_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...] = LINES) -> Path:
    """A wheel with a small file, whose hash takes the place of the real one."""
    packed = gzip.compress("\n".join((HEADER, *lines, "")).encode())
    monkeypatch.setattr(dataset, "ECOM", ECOM._replace(sha256=hashlib.sha256(packed).hexdigest()))
    wheel = folder / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(ECOM.member, packed)
    return wheel


def no_network(*_: Any, **__: Any) -> None:
    raise AssertionError("nothing must be fetched")


def test_rows_become_envelopes_in_event_time_order_with_row_numbers_as_ids() -> None:
    events = to_events(ROWS)
    assert [(event["id"], event["type"]) for event in events] == [
        ("w000002", "home"),
        ("w000003", "catalog"),
        ("w000001", "purchase"),
    ]
    assert events[2] == {
        "id": "w000001",
        "type": "purchase",
        "user_id": "user_0001",
        "time": 1711846800000,  # 2024-03-31T01:00:00Z, when clocks in Europe change
        "source": "web",
        "props": {"session_id": "sess_2", "platform": "mobile", "acquisition": "email", "lifecycle": "new"},
    }


def test_profiles_keep_what_the_file_knows_and_are_the_same_in_every_run() -> None:
    profiles = to_profiles(ROWS)
    assert list(profiles) == ["user_0000", "user_0001"]
    assert profiles["user_0001"]["cohort"] == "2024-01"
    assert profiles == to_profiles(reversed(ROWS))


def test_made_up_people_differ_in_how_they_can_be_reached() -> None:
    people = [made_up_profile(f"user_{number:04d}") for number in range(600)]
    for field in ("email", "phone", "push_token", "wechat_openid", "unsubscribed", "crowds", "lists"):
        assert 0 < sum(field in person for person in people) < 600, field
    assert {person["timezone"] for person in people} == {"Europe/Berlin", "Europe/London", "Europe/Athens"}
    phones = [person["phone"] for person in people if "phone" in person]
    assert all(phone.startswith("+447700900") and len(phone) == 13 for phone in phones), "the range kept for fiction"
    emails = [person["email"] for person in people if "email" in person]
    assert all(email.endswith("@example.com") for email in emails)


def test_prepare_writes_events_and_profiles_and_needs_the_package_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = a_wheel(tmp_path, monkeypatch)
    monkeypatch.setattr(package_file, "_download", no_network)
    first = prepare(tmp_path / "data", wheel)
    assert (first.event_count, first.user_count) == (3, 2)
    events = first.events.read_bytes()
    assert [event_of(json.loads(line)).id for line in events.splitlines()] == ["w000002", "w000003", "w000001"]
    assert set(json.loads(first.profiles.read_text())) == {"user_0000", "user_0001"}

    wheel.unlink()
    first.events.write_text("spoilt")
    again = prepare(tmp_path / "data")
    assert again == first
    assert again.events.read_bytes() == events
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["ecom.csv.gz", "ecom.jsonl", "profiles.json"]


def test_a_spoilt_copy_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = a_wheel(tmp_path, monkeypatch)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ecom.csv.gz").write_bytes(b"cut o")
    monkeypatch.setattr(package_file, "_download", lambda _file, _folder: wheel)
    assert prepare(tmp_path / "data").event_count == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no retentioneering/datasets/ecom.csv.gz in it"), (b"another file", "its SHA-256 differs")],
)
def test_another_wheel_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(ECOM.member if content else "readme", content or b"")
    with pytest.raises(DatasetError, match=said):
        prepare(tmp_path / "data", wheel)
    assert list((tmp_path / "data").iterdir()) == []


def test_no_package_index_gives_one_message_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def refused(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(Path(command[-1]).read_text())
        return subprocess.CompletedProcess(command, 1, "", "WARNING: retrying\nERROR: No matching distribution found")

    monkeypatch.setattr(subprocess, "run", refused)
    with pytest.raises(DatasetError) as raised:
        prepare(tmp_path / "data")
    assert "ERROR: No matching distribution found" in str(raised.value)
    assert "kairos dataset --wheel FILE.whl" in str(raised.value)
    assert seen == [f"{ECOM.package} --hash=sha256:{ECOM.wheel_sha256}\n"], "pip is told which bytes to accept"


CDNOW_LINES = (
    " customer_id  date number_of_cds  dollar_value",
    " 00013 19970102  2   11.77",
    " 00002 19970112  1   12.00",
    " 00013 19970102  1    0.00",
)


def test_purchases_become_events_whose_ids_are_the_numbers_of_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "\n".join(CDNOW_LINES).encode()
    monkeypatch.setattr(dataset_cdnow, "CDNOW", CDNOW._replace(sha256=hashlib.sha256(content).hexdigest()))
    with zipfile.ZipFile(tmp_path / "package.whl", "w") as archive:
        archive.writestr(CDNOW.member, content)
    done = dataset_cdnow.prepare(tmp_path / "data", tmp_path / "package.whl")
    assert (done.event_count, done.user_count) == (3, 2)
    events = [json.loads(line) for line in done.events.read_bytes().splitlines()]
    assert [(e["id"], e["user_id"], e["props"]) for e in events] == [
        ("p000002", "c00013", {"cds": 2, "amount": 11.77}),
        ("p000004", "c00013", {"cds": 1, "amount": 0.0}),
        ("p000003", "c00002", {"cds": 1, "amount": 12.0}),
    ]
    assert events[0]["time"] == 852201060000  # 1997-01-02T10:31Z
    assert events[1]["time"] - events[0]["time"] == 400
    assert all(event_of(event).type == "purchase" for event in events)
