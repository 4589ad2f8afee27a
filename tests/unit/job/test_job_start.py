"""What a job looks at before Flink starts: its input file, snapshots to resume from."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import msgspec
import pytest

from jobs.checks import StartError
from jobs.prepare import prepare
from jobs.recovery import evaluate_uid, restore_path
from jobs.settings import Files, Job, Kafka, Settings, State
from kairos.adapters.java import first_cause


def event(name: str, time: int, source: str = "shop") -> bytes:
    return msgspec.json.encode({"id": name, "type": "t", "user_id": f"u-{name}", "time": time, "source": source})


def prepared(folder: Path, content: bytes, name: str = "events.jsonl") -> list[tuple[str | None, int, bytes, int]]:
    file, target = folder / name, folder / "deep" / "input.jsonl"
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    count, _ = prepare(file, target)
    rows = [msgspec.json.decode(line) for line in target.read_bytes().splitlines()]
    assert count == len(rows)
    return [(row["k"], row["ts"], base64.b64decode(row["v"]), row["place"]) for row in rows]


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_rows_are_sorted_by_time_then_source_then_id(tmp_path: Path, name: str) -> None:
    t = 1_763_778_000_000
    lines = [event("d", t + 2), event("c", t), event("b", t), event("z", t, "app"), event("a", t + 1)]
    rows = prepared(tmp_path, b"\n".join(lines) + b"\r\n\n", name)
    assert [(key, time - t, place) for key, time, _, place in rows] == [
        ("u-z", 0, 4),
        ("u-b", 0, 3),
        ("u-c", 0, 2),
        ("u-a", 1, 5),
        ("u-d", 2, 1),
    ]
    assert sorted(line for *_, line, _ in rows) == sorted(lines)


def test_receipts_are_told(tmp_path: Path) -> None:
    receipt = {"type": "receipt", "user_id": "u1", "time": 1_763_778_000_000, "props": {"status": "delivered"}}
    file = tmp_path / "events.jsonl"
    file.write_bytes(event("a", 1_763_778_000_000) + b"\n" + msgspec.json.encode(receipt))
    count, (found,) = prepare(file, tmp_path / "input.jsonl")
    assert (count, found.user_id, found.props) == (2, "u1", {"status": "delivered"})


def test_what_is_no_event_comes_first_and_byte_for_byte(tmp_path: Path) -> None:
    t = 1_763_778_000_000
    rows = prepared(tmp_path, event("a", t) + b'\n{"cut\n\xff\xfe\n')
    assert rows == [(None, 0, b'{"cut', 2), (None, 0, b"\xff\xfe", 3), ("u-a", t, event("a", t), 1)]


def settings(folder: Path, mode: str = "thread") -> Settings:
    job = Job(mode=mode)  # type: ignore[arg-type]
    return Settings(kafka=Kafka("b:1"), job=job, state=State(checkpoints=str(folder)))


def snapshot(folder: Path, mode: str = "thread") -> Path:
    folder.mkdir(parents=True)
    (folder / "_metadata").write_bytes(b"\x00\x01" + evaluate_uid(mode).encode() + b"\x00")
    return folder


def test_the_newest_complete_checkpoint_is_found(tmp_path: Path) -> None:
    import os

    for age, name in enumerate(["run1/chk-9", "run2/chk-2", "run2/chk-1"]):
        snapshot(tmp_path / name)
        os.utime(tmp_path / name / "_metadata", (1000 - age, 1000 - age))
    (tmp_path / "run3" / "chk-1").mkdir(parents=True)
    assert restore_path(settings(tmp_path), "latest") == (tmp_path / "run1" / "chk-9").as_uri()


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no complete checkpoint in"):
        restore_path(settings(tmp_path), "latest")
    with pytest.raises(StartError, match=r"cannot resume from .*nowhere: No such file"):
        restore_path(settings(tmp_path), str(tmp_path / "nowhere"))


@pytest.mark.parametrize(("written", "running"), [("thread", "process"), ("process", "thread")])
def test_state_of_the_other_mode_is_refused(tmp_path: Path, written: str, running: str) -> None:
    folder = snapshot(tmp_path / "savepoint-1", written)
    with pytest.raises(StartError, match=f"written in {written} mode and this job runs in {running} mode"):
        restore_path(settings(tmp_path, running), str(folder))
    assert restore_path(settings(tmp_path, written), folder.as_uri()) == folder.as_uri()
    assert restore_path(settings(tmp_path, written), f"file:{folder}") == f"file:{folder}"


def test_the_job_that_loads_python_fails_at_its_first_failure(tmp_path: Path) -> None:
    """Whatever the configuration says of the job itself: else an upgrade would wait for it for ever."""
    from jobs.rehearsal import for_loading

    known = settings(tmp_path)
    known = msgspec.structs.replace(known, flink={"restart-strategy.type": "exponential-delay", "a": "b"})
    alone = for_loading(known)
    assert (alone.flink, alone.state.checkpoints) == ({"restart-strategy.type": "none", "a": "b"}, None)
    said = (
        "o.a.f.JobException: no restart\n\tat o.a.f.X\nCaused by: A: one\n\tat x\nCaused by: B: no module 'x'\n\tat y"
    )
    assert first_cause(said) == "B: no module 'x'"
    assert first_cause("Java is gone\n\tat z") == "Java is gone"


def test_a_missing_event_file_is_named(tmp_path: Path) -> None:
    from jobs.checks import check

    with pytest.raises(StartError, match=r"files.events: there is no file .*nothing.jsonl"):
        check(Settings(files=Files(str(tmp_path / "nothing.jsonl"), str(tmp_path))))
