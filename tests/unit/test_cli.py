"""The commands as they are called: output, errors, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql
from typer.testing import CliRunner, Result

from kairos.adapters.migrations import HEAD
from kairos.adapters.sql_rule_store import RELEASES
from kairos.apps.cli import COMMANDS, app

START = 1_763_778_000_000  # 2025-11-22T02:20:00Z
MINUTE = 60_000
SOURCES = """shop:
  events:
    order_created: {order_id: string!, amount: number!}
    order_paid: {order_id: string!}
"""
UNPAID = """activity: order_unpaid
state: draft
trigger:
  per: order_id
  pattern:
    - event: order_created
      as: order
      where: amount >= 50
    - absent: order_paid
  within: 10m
data: {order_id: order.order_id}
send:
  - {channel: sms, template: unpaid}
"""
EXAMPLES = """start: 2026-11-02T12:00
tests:
  - name: paying in time cancels
    events:
      - {at: 0s, order_created: {user_id: u1, order_id: o1, amount: 80}}
      - {at: 9m59s, order_paid: {user_id: u1, order_id: o1}}
    expect: []
  - name: the reminder
    events: [{at: 0s, order_created: {user_id: u1, order_id: o1, amount: 80}}]
    expect: [{at: 10m, outcome: send, channel: sms, data: {order_id: o1}}]
"""
TEMPLATE = "Your order {{ order_id }} waits.\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "activities" / "orders").mkdir(parents=True)
    (folder / "templates").mkdir()
    (folder / "sources.yaml").write_text(SOURCES)
    (folder / "templates" / "unpaid.sms.liquid").write_text(TEMPLATE)
    (folder / "activities/orders/order_unpaid.yaml").write_text(UNPAID)
    (folder / "activities/orders/order_unpaid.test.yaml").write_text(EXAMPLES)
    return folder


def break_rules(rules: Path) -> None:
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(path.read_text().replace("where: amount", "where: amout"))


def order(number: int, at: int, user: str = "u1", kind: str = "order_created", **more: Any) -> dict[str, Any]:
    props = {"order_id": f"o{number}", "amount": 80} if kind == "order_created" else {"order_id": f"o{number}"}
    event_id = f"{kind}{number}"
    return {"id": event_id, "type": kind, "user_id": user, "time": START + at, "source": "shop", "props": props, **more}


def write_events(tmp_path: Path, *events: dict[str, Any] | str) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in events))
    return path


def records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# --------------------------------------------------------------------------------------------------------------- help
def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name, command in COMMANDS.items():
        assert f"{name} " in result.stdout
        assert command.summary in result.stdout


@pytest.mark.parametrize("name", ["lint", "test", "simulate", "explain", "publish", "schema"])
def test_help_of_a_command_shows_examples(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"kairos {name} " in result.stdout.split("Examples:")[1]
    assert "completion" not in result.stdout


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    result = run("lnt")
    assert result.exit_code == 2
    assert "Did you mean 'lint'?" in result.stderr


def test_starting_is_cheap() -> None:
    """What only servers and Flink need is not imported by the commands on files."""
    code = (
        "import sys; from kairos.apps.cli import app; from typer.testing import CliRunner;"
        "CliRunner().invoke(app, ['simulate', 'nosuch', 'nosuch']);"
        "print([m for m in ('pyflink', 'sqlalchemy', 'redis', 'kafka', 'rich', 'aiohttp') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --------------------------------------------------------------------------------------------------------------- lint
def test_lint_of_good_rules(rules: Path) -> None:
    result = run("lint", rules)
    assert (result.exit_code, result.stdout) == (0, "no findings\n")


def test_lint_shows_findings_as_the_reader_can_open_them(rules: Path) -> None:
    break_rules(rules)
    result = run("lint", rules)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{rules}/activities/orders/order_unpaid.yaml:8:14: error: ")
    assert "did you mean 'amount'?" in result.stdout
    assert result.stdout.endswith("1 error, 0 warnings\n")
    assert "\x1b" not in result.stdout


def test_lint_as_json_is_a_list_with_files_relative_to_the_folder(rules: Path) -> None:
    assert json.loads(run("lint", rules, "--format", "json").stdout) == []
    break_rules(rules)
    result = run("lint", rules, "--format", "json")
    assert result.exit_code == 1
    [finding] = json.loads(result.stdout)
    assert list(finding) == ["file", "line", "column", "level", "code", "message", "hint"]
    assert (finding["file"], finding["line"], finding["column"]) == ("activities/orders/order_unpaid.yaml", 8, 14)


@pytest.mark.parametrize(
    "arguments",
    [
        ("lint", "{}"), ("test", "{}"), ("simulate", "{}", "x"), ("explain", "{}", "x", "--user", "u"),
        ("publish", "{}", "--store", "x"),
    ],
)  # fmt: skip
def test_a_missing_rule_folder_is_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(*(argument.format(tmp_path / "nosuch") for argument in arguments))
    assert result.exit_code == 2
    assert result.stderr == f"kairos: the rule folder {tmp_path}/nosuch: there is no such folder\n"


def test_an_output_that_knows_few_characters_is_no_reason_to_stop(rules: Path) -> None:
    (rules / "activities/orders/order_unpaid.yaml").write_text("activity: 订单\n")
    kairos = [sys.executable, "-c", "from kairos.apps.cli import main; main()", "lint", str(rules)]
    done = subprocess.run(kairos, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert rb"\u8ba2\u5355" in done.stdout
    assert done.stderr == b""


# --------------------------------------------------------------------------------------------------------------- test
def test_test_runs_the_examples(rules: Path) -> None:
    result = run("test", rules)
    assert (result.exit_code, result.stdout) == (0, "2 examples passed, 0 failed, of 1 activity\n")


def test_test_names_activities_without_examples(rules: Path) -> None:
    (rules / "activities/orders/order_unpaid.test.yaml").unlink()
    result = run("test", rules)
    assert (result.exit_code, result.stdout) == (
        0,
        "no examples: order_unpaid\n0 examples passed, 0 failed, of 0 activities\n",
    )


def test_a_failing_example_shows_what_came_instead_and_why(rules: Path) -> None:
    path = rules / "activities/orders/order_unpaid.test.yaml"
    path.write_text(
        EXAMPLES.replace("order_id: o1}}]\n", "order_id: o2}}]\n").replace("amount: 80}}]", "amount: 60}}]")
    )
    result = run("test", rules)
    assert result.exit_code == 1
    assert result.stdout == (
        f"FAILED {path}:8: order_unpaid: the reminder\n"
        '  - at 10m, send, channel: sms, data: {"order_id": "o2"}\n'
        "      the nearest that came differs in data.order_id: o2 expected, o1 came\n"
        '  + at 10m, send, user_id: u1, channel: sms, template: unpaid, data: {"order_id": "o1"}\n'
        "  why, for u1:\n"
        "          0s  order_created e1 is taken as `order` (of o1)\n"
        "          0s  waits that no order_paid comes until 10m\n"
        "         10m  no order_paid came in time: the trigger is complete\n"
        "         10m  passes every gate\n"
        "         10m  -> send by sms\n"
        "1 example passed, 1 failed, of 1 activity\n"
    )


def test_test_of_broken_rules_shows_the_findings(rules: Path) -> None:
    break_rules(rules)
    result = run("test", rules)
    assert result.exit_code == 2
    assert "order_unpaid.yaml:8:14: error: " in result.stderr


# ----------------------------------------------------------------------------------------------------------- simulate
def test_simulate_prints_one_decision_a_line(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0), order(2, MINUTE), order(2, 2 * MINUTE, kind="order_paid"))
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
    assert last == "2 events, 3 invalid lines left out, 1 duplicate left out: 1 decision"


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


# ------------------------------------------------------------------------------------------------------------ explain
def test_explain_tells_the_story_of_one_user(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0), order(2, 0, user="u2"), order(1, MINUTE, kind="order_paid"))
    result = run("explain", rules, events, "--user", "u1")
    assert result.exit_code == 0
    assert result.stdout == (
        "u1: 2 events, 2025-11-22 02:20:00 to 2025-11-22 02:21:00 (UTC)\n"
        "\n"
        "order_unpaid\n"
        "  2025-11-22 02:20:00  order_created order_created1 is taken as `order` (of o1)\n"
        "  2025-11-22 02:20:00  waits that no order_paid comes until 2025-11-22 02:30:00\n"
        "  2025-11-22 02:21:00  order_paid order_paid1 ends the match of `order` (order_created1) (of o1)\n"
    )


def test_explain_speaks_in_the_users_time_zone_and_of_one_activity(rules: Path, tmp_path: Path) -> None:
    (rules / "activities/orders/other.yaml").write_text("activity: other\ntrigger: {event: order_paid}\n")
    profiles = tmp_path / "profiles.json"
    profiles.write_text('{"u1": {"timezone": "Asia/Shanghai", "phone": "1"}}')
    events = write_events(tmp_path, order(1, 500))
    whole = run("explain", rules, events, "--user", "u1", "--profiles", profiles).stdout
    assert "\nother\n  nothing began: no order_paid came\n" in whole
    one = run("explain", rules, events, "--user", "u1", "--profiles", profiles, "--activity", "order_unpaid").stdout
    assert "other" not in one
    assert "  2025-11-22 10:20:00.500  order_created" in one
    assert one.endswith("  2025-11-22 10:30:00.500  -> send by sms\n")


def test_explain_of_a_user_without_events(rules: Path, tmp_path: Path) -> None:
    result = run("explain", rules, write_events(tmp_path, order(1, 0)), "--user", "u\n9")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == r"u\n9 has no events in this file"
    assert result.stdout.endswith("  nothing began: no order_created came\n")


def test_explain_of_an_unknown_activity(rules: Path, tmp_path: Path) -> None:
    result = run("explain", rules, write_events(tmp_path, order(1, 0)), "--user", "u1", "--activity", "nosuch")
    assert (result.exit_code, result.stderr) == (2, f"kairos: there is no activity nosuch in {rules}\n")


# ------------------------------------------------------------------------------------------------------------ publish
def test_publish_shows_the_plan_and_writes_a_release(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    dry = run("publish", rules, "--store", store, "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout == (
        "release 1, the first\n"
        "  + order_unpaid: new\n"
        "  ~ templates: unpaid.sms new\n"
        "  ~ sources.yaml changed\n"
        "not published (--dry-run)\n"
    )
    first = run("publish", rules, "--store", store)
    assert first.stdout.endswith("published release 1\n")
    assert run("publish", rules, "--store", store).stdout == "release 2, after release 1\nnothing to publish\n"
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(UNPAID.replace("amount >= 50", "amount >= 51"))
    assert run("publish", rules, "--store", store).stdout == (
        "release 2, after release 1\n"
        "  ~ order_unpaid: changed (trigger)\n"
        "      matches in flight: kept, and go on under the new definition (on_change: keep)\n"
        "published release 2\n"
    )


def test_publish_has_a_store_of_its_own(rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path / "data"))
    result = run("publish", rules)
    assert (result.exit_code, result.stderr) == (0, f"the rule store is sqlite:///{tmp_path}/data/rules.db\n")
    assert run("publish", rules).stdout == "release 2, after release 1\nnothing to publish\n"


def test_publish_over_broken_releases(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    run("publish", rules, "--store", store)
    for number in (2, 3):
        row = {"number": number, "effective_at": 0, "published_at": 0, "author": "", "body": b"rubbish"}
        engine = sql.create_engine(store)
        with engine.begin() as connection:
            connection.execute(RELEASES.insert(), row)
        engine.dispose()
    (rules / "activities/orders/order_unpaid.yaml").write_text(UNPAID.replace("amount >= 50", "amount >= 51"))
    result = run("publish", rules, "--store", store)
    assert [line.partition(" in ")[0] for line in result.stderr.splitlines()] == [
        "warning: release 3",
        "warning: release 2",
    ]
    assert result.stdout.splitlines()[0] == "release 4, after release 1"
    assert result.stdout.endswith("published release 4\n")


def test_publish_to_a_folder(rules: Path, tmp_path: Path) -> None:
    target = tmp_path / "watched"
    result = run("publish", rules, "--store", target)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "published release 1")
    assert run("test", target).stdout == "2 examples passed, 0 failed, of 1 activity\n"


def test_publish_refuses_a_failing_example(rules: Path, tmp_path: Path) -> None:
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(UNPAID.replace("amount >= 50", "amount >= 500"))
    store = tmp_path / "kairos.db"
    result = run("publish", rules, "--store", f"sqlite:///{store}")
    assert result.exit_code == 1
    assert "FAILED" in result.stderr
    assert result.stderr.endswith("not published: 1 example failed\n")
    assert not store.exists()


def test_publish_refuses_cold_metrics_unless_accepted(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    (rules / "metrics.yaml").write_text("orders_7d: {count: order_created, window: 7d}\n")
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(UNPAID + "audience: {where: metric.orders_7d >= 1}\n")
    result = run("publish", rules, "--store", store)
    assert result.exit_code == 1
    assert "refused: order_unpaid: reads metric.orders_7d, which is not complete yet\nnot published\n" in result.stdout
    assert run("publish", rules, "--store", store, "--accept-cold").exit_code == 0


def test_publish_names_a_store_that_does_not_answer(rules: Path) -> None:
    result = run("publish", rules, "--store", "mysql+pymysql://kairos:secret@127.0.0.1:1/kairos")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "kairos: the rule store mysql+pymysql://kairos:***@127.0.0.1:1/kairos does not answer"
    )
    assert "secret" not in result.stderr


# ------------------------------------------------------------------------------------------------------------- schema
def test_schema_of_everything_and_of_one_kind_of_file() -> None:
    whole = json.loads(run("schema").stdout)
    assert {"$ref": "#/$defs/activity"} in whole["anyOf"]
    one = json.loads(run("schema", "activity").stdout)
    assert one["$ref"] == "#/$defs/activity"
    assert one["$defs"] == whole["$defs"]


def test_schema_of_an_unknown_kind_of_file() -> None:
    result = run("schema", "nosuch")
    assert result.exit_code == 2
    assert result.stderr.startswith("kairos: there is no kind of file 'nosuch'; there are activity, ")


def test_the_reference_in_the_docs_is_what_the_command_prints() -> None:
    assert run("schema", "--reference").stdout == (Path(__file__).parents[2] / "docs" / "reference.md").read_text()


# ----------------------------------------------------------------------------------------------------------- database


def test_a_database_is_brought_up_to_date(tmp_path: Path) -> None:
    for _ in range(2):
        result = run("database", "upgrade", f"sqlite:///{tmp_path}/control.db")
        assert (result.exit_code, result.stderr) == (0, f"sqlite:///{tmp_path}/control.db: version {HEAD}\n")


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    result = run("database", "upgrade", "mysql+pymysql://kairos:s3cret@127.0.0.1:1/kairos")
    assert result.exit_code == 2
    assert "mysql+pymysql://kairos:***@127.0.0.1:1/kairos does not answer" in result.stderr
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("root", "--user", "u"), "there is no role 'root'; there are job, gateway, worker, publish, audit"),
        (("job", "--user", "u'@'%"), "--user: expected letters, digits and underscores"),
        (("job", "--user", "u", "--database", "a`.`b"), "--database: expected letters, digits and underscores"),
    ],
)
def test_rights_for_nobody_in_particular_are_not_printed(arguments: tuple[str, ...], said: str) -> None:
    result = run("database", "grants", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
