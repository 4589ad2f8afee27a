"""`kairos pause`, `resume` and `end`."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.cli.cli_kit import run


def test_what_cannot_be_paused_is_said_with_what_may_be_meant(rules: Path, tmp_path: Path) -> None:
    """A store without a release is most likely not the one that the job reads: nothing would stop."""
    store = f"sqlite:///{tmp_path}/kairos.db"
    nothing = run("pause", "--all", "--store", store)
    assert nothing.exit_code == 2
    assert nothing.stderr.endswith("has no release; --store or --conf names the one that the running job reads\n")
    run("publish", rules, "--store", store)
    unknown = run("pause", "order_unpayd", "--store", store)
    assert (unknown.exit_code, "; did you mean 'order_unpaid'?" in unknown.stderr) == (2, True)


def test_history_without_a_name_says_how_each_stands(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    assert run("history", "--store", store).stdout == ""
    path = rules / "activities/orders/order_unpaid.yaml"
    run("publish", rules, "--store", store)
    assert run("history", "--store", store).stdout == "order_unpaid  draft     its release says so\n"
    path.write_text(path.read_text().replace("state: draft", "state: live"))
    run("publish", rules, "--store", store)
    assert run("history", "--store", store).stdout == "order_unpaid  live\n"
    run("pause", "--all", "--reason", "wrong link", "--author", "ann", "--store", store)
    told = run("history", "--store", store).stdout
    assert re.fullmatch(r"order_unpaid  paused    since \S+ \S+ UTC, by ann: wrong link\n", told)


def test_pause_and_resume_say_since_when_by_whom_and_why(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    run("publish", rules, "--store", store)
    paused = run("pause", "order_unpaid", "--reason", "wrong link", "--author", "ann", "--store", store)
    assert re.fullmatch(
        r"order_unpaid: paused since \S+ \S+ UTC, by ann: wrong link; its release says draft\n", paused.stdout
    )
    again = run("pause", "--all", "--store", store)
    assert again.stdout.endswith("by ann: wrong link; its release says draft (no change)\n")
    assert "live since" in run("resume", "order_unpaid", "--store", store).stdout
    ended = run("end", "--theme", "orders", "--store", store)
    assert (ended.exit_code, "ended since" in ended.stdout) == (0, True)
    refused = run("resume", "order_unpaid", "--store", store)
    assert (refused.exit_code, "does not begin again" in refused.stderr) == (2, True)
