"""`kairos lint`, `test`, `schema`, and what holds for every command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kairos.apps.cli import COMMANDS
from tests.unit.cli.cli_kit import EXAMPLES, break_rules, run


# --------------------------------------------------------------------------------------------------------------- help
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
    assert run("schema", "--reference").stdout == (Path(__file__).parents[3] / "docs" / "reference.md").read_text()


def test_a_command_is_a_module_of_its_name() -> None:
    """So whoever looks for `kairos dead-letters` finds it."""
    assert {name: command.module.rpartition(".")[2] for name, command in COMMANDS.items()} == {
        name: name.replace("-", "_") for name in COMMANDS
    }
