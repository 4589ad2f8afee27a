"""`kairos simulate`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kairos.apps.inputs.files import MOST_ALIKE, MOST_TOLD
from tests.unit.cli.cli_kit import MINUTE, START, break_rules, order, records, run, write_events


# ----------------------------------------------------------------------------------------------------------- simulate
def test_simulate_prints_one_decision_a_line(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0), order(2, MINUTE), order(2, 10 * MINUTE, kind="order_paid"))
    result = run("simulate", rules, events)
    assert result.exit_code == 0
    [record] = records(result)
    assert list(record) == [
        "activity", "version", "variant", "template", "user_id", "at", "outcome", "reason", "channel", "occurrence",
        "steps", "data",
    ]  # fmt: skip
    assert (record["activity"], record["outcome"], record["at"]) == ("order_unpaid", "send", START + 10 * MINUTE)
    assert (record["steps"], record["data"]) == ({"order": ["order_created1"]}, {"order_id": "o1"})
    assert result.stderr == "3 events: 1 decision\n"


def test_what_simulate_writes_is_its_users_alone(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path)
    out = tmp_path / "decisions.jsonl"
    assert run("simulate", rules, events, "--out", out).exit_code == 0
    assert out.stat().st_mode & 0o077 == 0


def test_simulate_reports_what_is_wrong_with_events_and_goes_on(rules: Path, tmp_path: Path) -> None:
    events = write_events(
        tmp_path, "rubbish \x1b[31m\x07", order(1, 0), "", order(1, 1), order(3, 0, source="nobody"), "x" * 1000
    )
    result = run("simulate", rules, events)
    assert result.exit_code == 0
    assert len(records(result)) == 1
    first, second, third, fourth, last = result.stderr.splitlines()
    assert first.startswith(f"{events}:1: ")
    assert first.endswith(r": rubbish \x1b[31m\x07")
    assert second.startswith(f"{events}:5: ")
    assert third.startswith(f"{events}:6: ")
    assert len(third) < len(str(events)) + 400
    assert fourth == f"{events}:4: a repetition of event order_created1, left out"
    assert last == (
        "2 events, 3 invalid lines left out, 1 duplicate left out: 1 decision, "
        "1 after the end of the file (2025-11-22 02:20:00 UTC)"
    )


def test_a_file_of_another_shop_is_told_by_its_first_lines(rules: Path, tmp_path: Path) -> None:
    """Tens of thousands of lines said the same, and hid what came after them."""
    strange = [{**order(number, 0), "type": f"other_{number}"} for number in range(150)]
    events = write_events(tmp_path, *strange)
    told = run("simulate", rules, events).stderr.splitlines()
    assert len([line for line in told if line.startswith(f"{events}:")]) == MOST_TOLD + 1
    assert f"{events}: more than {MOST_TOLD} lines are left out; the others are only counted" in told
    assert "150 invalid lines left out" in told[-1]


def test_of_many_lines_that_say_the_same_the_first_are_told(rules: Path, tmp_path: Path) -> None:
    """A hundred lines said that a source is not declared, and none which there are."""
    strange = [order(number, number, source="web") for number in range(MOST_ALIKE + 17)]
    events = write_events(tmp_path, *strange, {**order(99, 0), "type": "other"})
    told = run("simulate", rules, events).stderr.splitlines()
    assert (
        len([line for line in told if "source 'web' is not declared; sources.yaml has shop: {" in line]) == MOST_ALIKE
    )
    assert (
        f"{events}: source 'web' is not declared; sources.yaml has shop: more lines are left out for this"
        in told[MOST_ALIKE]
    )
    assert "declares no event type 'other'" in told[MOST_ALIKE + 1]
    assert f"{MOST_ALIKE + 18} invalid lines left out" in told[-1]


def test_where_it_cannot_be_written_is_said_before_anything_is_read(rules: Path, tmp_path: Path) -> None:
    told = run("simulate", rules, tmp_path / "none.jsonl", "--out", tmp_path / "gone" / "decisions.jsonl")
    assert (told.exit_code, "there is no folder" in told.stderr) == (2, True)


def test_what_is_decided_after_the_last_event_is_marked(rules: Path, tmp_path: Path) -> None:
    """Whatever might have cancelled it is not in the file. `--until` says that nothing else came up to then."""
    events = write_events(tmp_path, order(1, 0), order(2, 5 * MINUTE), order(3, 11 * MINUTE))
    result = run("simulate", rules, events)
    assert [record.get("after_end") for record in records(result)] == [None, True, True]
    assert result.stderr == "3 events: 3 decisions, 2 after the end of the file (2025-11-22 02:31:00 UTC)\n"
    longer = run("simulate", rules, events, "--until", "2025-11-22T02:40:00Z")
    assert [record.get("after_end") for record in records(longer)] == [None, None, True]
    shorter = run("simulate", rules, events, "--until", "2025-11-22T02:30")
    assert [record.get("after_end") for record in records(shorter)] == [None, True]
    assert shorter.stderr.startswith("2 events, 1 later event left out: 2 decisions, 1 after the end of the file")


def test_a_user_that_nobody_is_called_is_remarked_on(rules: Path, tmp_path: Path) -> None:
    result = run("simulate", rules, write_events(tmp_path, order(1, 0), order(2, 1, user_id="undefined")))
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1].startswith("a user is called 'undefined': ")


def test_an_end_that_is_no_moment_is_refused(rules: Path, tmp_path: Path) -> None:
    result = run("simulate", rules, write_events(tmp_path, order(1, 0)), "--until", "tomorrow")
    assert result.exit_code == 2
    assert "--until: expected a moment such as 2026-12-01T00:00, found tomorrow" in result.stderr


@pytest.mark.parametrize("command", ["simulate", "explain", "publish", "preview", "replay"])
def test_a_file_that_is_no_json_lines_at_all_is_refused_in_one_line(command: str, rules: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(json.dumps([order(1, 0), order(2, 1)], indent=1))
    arguments = {
        "simulate": (rules, events),
        "explain": (rules, events, "--user", "u1"),
        "publish": (rules, "--store", tmp_path / "store", "--seed", events),
        "preview": ("order_unpaid", "--rules", rules, "--user", "u1", "--events", events),
        "replay": (events,),
    }[command]
    result = run(command, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert f"the events {events} are a JSON array, not JSON Lines: one event a line is expected" in result.stderr


def test_simulate_sorts_unless_told_otherwise(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 20 * MINUTE, user="u2"), order(2, 0), order(2, MINUTE, kind="order_paid"))
    assert [record["user_id"] for record in records(run("simulate", rules, events))] == ["u2"]
    assert [record["user_id"] for record in records(run("simulate", rules, events, "--as-arrived"))] != []


def test_simulate_with_profiles_needs_addresses(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0, user="u1"), order(2, 0, user="u2"), order(3, 0, user="u3"))
    profiles = tmp_path / "profiles.json"
    profiles.write_text(json.dumps({"u1": {"phone": "+8613900000000"}, "u2": {"phone": 5, "timezone": "Mars/X"}}))
    result = run("simulate", rules, events, "--profiles", profiles)
    assert [(r["user_id"], r["outcome"], r["reason"]) for r in records(result)] == [
        ("u1", "send", None),
        ("u2", "suppress", "unreachable"),
        ("u3", "suppress", "unreachable"),
    ]
    assert f"{profiles}: u2.phone: text is expected; left out\n" in result.stderr


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_simulate_refuses_profiles_that_are_none(rules: Path, tmp_path: Path, content: str) -> None:
    profiles = tmp_path / "profiles.json"
    profiles.write_text(content)
    result = run("simulate", rules, write_events(tmp_path, order(1, 0)), "--profiles", profiles)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"kairos: the profiles {profiles}: ")


def test_simulate_writes_to_a_file(rules: Path, tmp_path: Path) -> None:
    events, out = write_events(tmp_path, order(1, 0)), tmp_path / "decisions.jsonl"
    printed = run("simulate", rules, events).stdout
    result = run("simulate", rules, events, "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text() == printed


def test_simulate_does_not_overwrite_its_events(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0))
    before = events.read_bytes()
    result = run("simulate", rules, events, "--out", events)
    assert result.exit_code == 2
    assert result.stderr == f"kairos: --out {events} is the file of events itself\n"
    assert events.read_bytes() == before


def test_simulate_of_broken_rules_writes_nothing(rules: Path, tmp_path: Path) -> None:
    break_rules(rules)
    out = tmp_path / "decisions.jsonl"
    result = run("simulate", rules, write_events(tmp_path, order(1, 0)), "--out", out)
    assert result.exit_code == 2
    assert "order_unpaid.yaml:8:14: error: " in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(("what", "said"), [("nosuch.jsonl", "no such file or directory"), (".", "is a directory")])
def test_events_that_cannot_be_read_are_named(rules: Path, tmp_path: Path, what: str, said: str) -> None:
    result = run("simulate", rules, tmp_path / what)
    assert result.exit_code == 2
    assert result.stderr == f"kairos: the events {tmp_path / what}: {said}\n"


def test_a_closed_pipe_ends_simulate_quietly(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, *(order(n, n, user=f"u{n}") for n in range(5000)))
    kairos = [sys.executable, "-c", "from kairos.apps.cli import main; main()", "simulate", str(rules), str(events)]
    with subprocess.Popen(kairos, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"activity"')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("to", ["stdout", "file"])
def test_a_full_disk_is_said_in_one_line(rules: Path, tmp_path: Path, to: str) -> None:
    events = write_events(tmp_path, *(order(n, n, user=f"u{n}") for n in range(100)))
    kairos = [sys.executable, "-c", "from kairos.apps.cli import main; main()", "simulate", str(rules), str(events)]
    with open("/dev/full", "wb") as full:
        options = ["--out", "/dev/full"] if to == "file" else []
        done = subprocess.run([*kairos, *options], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "kairos: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("content", [b"rubbish", b"\x1f\x8b\x08\x00"])
def test_a_packed_file_that_is_damaged_is_named(rules: Path, tmp_path: Path, content: bytes) -> None:
    events = tmp_path / "events.jsonl.gz"
    events.write_bytes(content)
    result = run("simulate", rules, events)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"kairos: the events {events}: ")
    assert len(result.stderr.splitlines()) == 1
