"""From `kairos submit` to `kairos audit`, as people give the commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.cli.cli_kit import run

WORKFLOW = "steps: {content: {by: editor}}\npaths: [{when: 'state == \"draft\"', then: []}, {then: [content]}]\n"


def test_a_change_from_its_submission_to_its_release_and_back(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    monkeypatch.setenv("KAIROS_RULE_STORE", store)
    run("publish", rules)
    first = run("users", "add", "ann", "--role", "admin")
    assert "token" in first.stderr
    assert "export KAIROS_TOKEN" in first.stderr
    admin = first.stdout.splitlines()[-1]
    assert run("publish", rules).exit_code == 2
    monkeypatch.setenv("KAIROS_TOKEN", admin)
    tokens = {"ann": admin}
    for name, role in (("eve", "reviewer:editor"), ("otto", "operator")):
        run("users", "add", name, "--role", role)
        tokens[name] = run("users", "token", name).stdout.strip()
    path = rules / "activities/orders/order_unpaid.yaml"
    (rules / "workflow.yaml").write_text(WORKFLOW)
    path.write_text(path.read_text().replace("state: draft", "state: live"))
    refused = run("publish", rules, "--no-backtest")
    assert (refused.exit_code, "order_unpaid@" in refused.stdout) == (1, True)
    assert refused.stdout.endswith("not published: not approved (kairos submit)\n")

    assert "in review: needs content" in run("submit", rules).stdout
    (line,) = [line for line in run("reviews").stdout.splitlines() if line.startswith("order_unpaid@")]
    assert re.fullmatch(r"order_unpaid@\w{12}: in review, waits for content; by ann, .* UTC", line)
    assert 'activities.order_unpaid.state: "draft" -> "live"' in run("reviews", "order_unpaid").stdout
    assert run("approve", line.split(":")[0]).exit_code == 2
    monkeypatch.setenv("KAIROS_TOKEN", tokens["eve"])
    both = run("approve", line.split(":")[0], "workflow.yaml")
    assert both.stdout == "order_unpaid: approved\nworkflow.yaml: approved\n"
    assert run("pause", "order_unpaid").exit_code == 2

    monkeypatch.setenv("KAIROS_TOKEN", admin)
    assert run("publish", rules, "--no-backtest").stdout.endswith("published release 2\n")
    monkeypatch.setenv("KAIROS_TOKEN", tokens["otto"])
    rolled = run("rollback", "1", "--emergency", "--reason", "wrong")
    assert rolled.stdout.endswith("published release 3\n")
    assert "the next publish brings it back" in rolled.stderr
    listed = run("releases").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["1", "2", "3"]
    assert [line.partition(", as in ")[2] for line in listed] == ["", "", "release 1"]
    assert run("diff", "1", "3").exit_code == 0
    assert 'activities.order_unpaid.state: "draft" -> "live"' in run("diff", "1", "2").stdout
    told = [line.split()[3] for line in run("history", "order_unpaid").stdout.splitlines()]
    assert told == ["published", "submitted", "approved", "published", "published", "paused"]

    audit = run("audit", "--store", store)
    assert (audit.exit_code, audit.stdout.splitlines()[-1]) == (0, "clean")


def test_the_way_back_is_agreed_to_as_every_other_change(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but an emergency led back to a release whose approvals had lapsed."""
    monkeypatch.setenv("KAIROS_RULE_STORE", f"sqlite:///{tmp_path}/back.db")
    assert run("history").exit_code == 0
    assert "nothing is published" in run("releases").stderr
    assert run("publish", rules, "--author", "ann").exit_code == 0
    file = rules / "activities/orders/order_unpaid.yaml"
    file.write_text(file.read_text().replace("state: draft", "state: live"))
    (rules / "workflow.yaml").write_text("steps: {content: {by: editor}}\npaths: [{then: [content]}]\n")
    assert run("submit", rules, "--author", "ann").exit_code == 0
    assert run("approve", "order_unpaid", "workflow.yaml", "--author", "eve").exit_code == 0
    assert run("publish", rules, "--author", "ann").exit_code == 0
    refused = run("rollback", "1", "--author", "ann")
    assert (refused.exit_code, "needs content" in refused.stdout, "--submit asks" in refused.stdout) == (1, True, True)
    assert "in review: needs content" in run("rollback", "1", "--submit", "--author", "ann").stdout
    assert run("approve", "order_unpaid", "workflow.yaml", "--author", "eve").exit_code == 0
    assert run("rollback", "1", "--author", "ann").stdout.endswith("published release 3\n")
    assert "there are 1 to 3" in run("rollback", "7").stderr
    text = rules / "templates/unpaid.sms.liquid"
    text.write_text(text.read_text() + "\nA line more.\n")
    assert run("publish", rules, "--emergency", "--reason", "now", "--author", "otto").exit_code == 0
    assert "  +A line more." in run("diff", "3", "4").stdout.splitlines()
