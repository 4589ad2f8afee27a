"""`kairos plans`: list, show, use, diff."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import Result

from tests.unit.cli.cli_kit import run
from tests.unit.plan.library import HELLO, shelf

ROOT = Path(__file__).parents[3]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shelf(tmp_path)


def plans(shop: Path, *arguments: object) -> Result:
    return run("plans", *arguments, "--plans", shop / "plans", "--rules", shop / "rules")


def test_an_empty_folder_gets_a_linted_tested_activity(shop: Path) -> None:
    made = plans(shop, "use", "hello", "--set", "wait=15m", "--as", "hello_15m")
    assert (made.exit_code, made.stderr) == (0, "")
    assert [line.removeprefix(f"{shop}/rules/") for line in made.stdout.splitlines()] == [
        "activities/plans/hello_15m.yaml",
        "activities/plans/hello_15m.test.yaml",
        "templates/hello.email.liquid",
        "metrics.yaml",
    ]
    assert run("lint", shop / "rules").exit_code == 0
    assert run("test", shop / "rules").stdout.endswith("1 example passed, 0 failed, of 1 activity\n")
    listed = json.loads(plans(shop, "--format", "json").stdout)
    assert [(one["plan"], one["here"], one["lacks"]) for one in listed] == [("hello", ["hello_15m"], [])]


def test_nothing_is_overwritten(shop: Path) -> None:
    assert plans(shop, "use", "hello").exit_code == 0
    text = shop / "rules/templates/hello.email.liquid"
    text.write_text("Subject: mine\n\nMine\n")
    again = plans(shop, "use", "hello")
    assert (again.exit_code, again.stderr.strip()) == (
        2, f"kairos: {shop}/rules/activities/plans/hello.yaml is already there",
    )  # fmt: skip
    other = plans(shop, "use", "hello", "--as", "other")
    assert "is there already and says something else: it stays" in other.stderr
    assert text.read_text() == "Subject: mine\n\nMine\n"
    (shop / "rules/metrics.yaml").write_text("seen_90d: {count: other, window: 90d}\n")
    third = plans(shop, "use", "hello", "--as", "third")
    assert "metrics.yaml has seen_90d with another meaning than the plan" in third.stderr


def test_what_is_called_otherwise_here_leads_to_its_parameters(shop: Path) -> None:
    (shop / "rules/sources.yaml").write_text("web: {events: {ordered: {}, paid: {}}}\n")
    library = ("--plans", ROOT / "plans", "--rules", shop / "rules")
    refused = run("plans", "use", "unpaid", *library)
    assert refused.stderr.endswith(
        "; declare it, or say what it is called here: --set created=... --set paid=... (events: ordered or paid)\n"
    )
    named = run("plans", "use", "unpaid", *library, "--set", "created=ordered", "--set", "paid=paid")
    assert "does not know prop ordered.order_id and prop paid.order_id" in named.stderr
    assert named.stderr.endswith(" called here: --set key=... (ordered has no props; paid has no props)\n")


def test_what_a_folder_lacks(shop: Path) -> None:
    (shop / "rules/sources.yaml").write_text("web: {events: {login: {}, bye: {}, purchase: {}}}\n")
    (shop / "rules/profile.yaml").write_text("phone: string\n")
    (shop / "rules/policy.yaml").write_text("timezone: UTC\n")
    (shop / "rules/metrics.yaml").write_text("logins: {count: login}\n")
    refused = plans(shop, "use", "hello")
    assert refused.exit_code == 2
    assert "does not know event signup and profile.email; declare it" in refused.stderr
    listed = plans(shop)
    assert "event signup; profile.email" in " ".join(listed.stdout.split())
    assert "lacks    event signup, profile.email" in plans(shop, "show", "hello").stdout


def test_examples_that_fail_write_nothing(shop: Path) -> None:
    shelf(shop, HELLO.replace("- {at: {$: wait}, outcome: send,", "- {at: 1s, outcome: send,"))
    refused = plans(shop, "use", "hello")
    assert refused.exit_code == 1
    assert "greeted" in refused.stderr
    assert list((shop / "rules").iterdir()) == []


def test_a_plan_with_errors_is_named_and_the_others_are_listed(shop: Path) -> None:
    (shop / "plans/broken.yaml").write_text("plan: broken\ntitle: x\n")
    listed = plans(shop)
    assert listed.exit_code == 1
    assert "hello" in listed.stdout
    assert f"{shop}/plans/broken.yaml:1:1: error: plan: 'why' is missing" in listed.stderr
    assert plans(shop, "use", "broken").exit_code == 1
    assert "there is no plan helo" in plans(shop, "show", "helo").stderr


def test_an_upgrade_is_offered_and_keeps_what_the_plan_says_nothing_of(shop: Path) -> None:
    plans(shop, "use", "hello", "--set", "wait=15m", "--as", "hello_15m")
    path = shop / "rules/activities/plans/hello_15m.yaml"
    path.write_text(path.read_text().replace("# Not at once.", "state: live   # since May\n# Not at once."))
    assert plans(shop, "diff").exit_code == 0
    shelf(shop, HELLO.replace("within: 7d", "within: 9d"))
    offered = plans(shop, "diff")
    assert offered.exit_code == 1
    assert "-goal: {event: purchase, within: 7d}\n+goal: {event: purchase, within: 9d}\n" in offered.stdout
    assert "15m" not in [line for line in offered.stdout.splitlines() if line.startswith("-")]
    assert plans(shop, "diff", "hello_15m", "--apply").exit_code == 0
    text = path.read_text()
    assert "within: 9d" in text
    assert "within: 15m" in text
    assert "state: live   # since May" in text
    assert plans(shop, "diff").exit_code == 0
    assert run("test", shop / "rules").exit_code == 0


def test_a_plan_that_is_gone_and_one_that_cannot_be_made_any_more(shop: Path) -> None:
    plans(shop, "use", "hello", "--set", "wait=15m")
    shelf(shop, HELLO.replace("range: [1m, 2d]", "range: [1h, 2d]"))
    assert "wait: expected 1h to 2d, found 15m" in plans(shop, "diff").stdout
    (shop / "plans/hello.yaml").unlink()
    assert plans(shop, "diff").stdout == "hello: plan hello is not in the library\n"
