"""`kairos publish` and `kairos database`."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sql

from kairos.adapters.database.migrations import HEAD
from kairos.adapters.database.roles import ROLES
from kairos.adapters.rules.store import open_rule_store
from kairos.adapters.rules.store_sql import RELEASES
from tests.unit.cli.cli_kit import UNPAID, run


# ------------------------------------------------------------------------------------------------------------ publish
def test_publish_shows_the_plan_and_writes_a_release(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    dry = run("publish", rules, "--store", store, "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout == (
        "release 1, the first\n"
        "  + order_unpaid: new (state: draft, contacts nobody)\n"
        "  ~ templates: unpaid.sms new\n"
        "  ~ sources.yaml changed\n"
        "  no activity is live: this release contacts nobody until one of them says `state: live`\n"
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
        "  no activity is live: this release contacts nobody until one of them says `state: live`\n"
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


def test_an_activity_is_paused_and_ended_by_publishing_it(rules: Path, tmp_path: Path) -> None:
    """Its examples say what it does when it is live, whatever its state."""
    store = f"sqlite:///{tmp_path}/kairos.db"
    path = rules / "activities/orders/order_unpaid.yaml"
    for state in ("live", "paused", "ended"):
        path.write_text(UNPAID.replace("state: draft", f"state: {state}"))
        result = run("publish", rules, "--store", store)
        assert result.exit_code == 0, result.stderr
        assert ("no activity is live" in result.stdout) == (state != "live")
        assert run("test", rules).stdout == "2 examples passed, 0 failed, of 1 activity\n"
    assert "  ~ order_unpaid: changed (state: paused -> ended)\n" in result.stdout


JOURNEY = """journey: welcome
state: live
trigger: {event: order_created}
steps:
  - {id: w, wait: 9d}
  - {id: hello, send: [{channel: webhook}]}
"""


def test_publish_has_those_inside_a_journey_that_was_edited_looked_at(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    path = rules / "journeys/orders/welcome.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(JOURNEY)
    first = run("publish", rules, "--store", store, "--sweep", "1h")
    assert "  nobody is looked at: no step of a journey was touched\n" in first.stdout
    path.write_text(JOURNEY.replace("9d", "12h"))
    second = run("publish", rules, "--store", store, "--sweep", "1h")
    assert "  everyone known is looked at within 1h (kairos scheduler)\n" in second.stdout
    release = open_rule_store(store).latest(0)
    assert release is not None
    assert (release.number, release.sweep) == (2, 3_600_000)
    refused = run("publish", rules, "--store", store, "--sweep", "soon")
    assert (refused.exit_code, refused.stderr) == (2, "kairos: --sweep soon: expected a duration such as 1h\n")


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


def test_of_many_failing_examples_the_first_are_told_and_the_others_named(rules: Path, tmp_path: Path) -> None:
    path = rules / "activities/orders/order_unpaid.test.yaml"
    head, name, example = path.read_text().rpartition("  - name: ")
    path.write_text(head + "".join(f"{name}{number} {example}" for number in range(5)))
    activity = rules / "activities/orders/order_unpaid.yaml"
    activity.write_text(UNPAID.replace("amount >= 50", "amount >= 500"))
    said = run("publish", rules, "--store", f"sqlite:///{tmp_path}/kairos.db").stderr
    assert (said.count("FAILED"), said.count("  why, for ")) == (5, 3)
    assert said.endswith(f"why the others failed: kairos test {rules}\nnot published: 5 examples failed\n")


def test_publish_refuses_cold_metrics_unless_accepted(rules: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kairos.db"
    (rules / "metrics.yaml").write_text("orders_7d: {count: order_created, window: 7d}\n")
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(UNPAID + "audience: {where: metric.orders_7d >= 1}\n")
    result = run("publish", rules, "--store", store)
    assert result.exit_code == 1
    assert "refused: order_unpaid: reads metric.orders_7d, which is not complete yet\n" in result.stdout
    assert "--seed EVENTS" in result.stdout
    assert "--accept-cold" in result.stdout
    assert result.stdout.endswith("not published\n")
    assert run("publish", rules, "--store", store, "--accept-cold").exit_code == 0


def test_publish_names_a_store_that_does_not_answer(rules: Path) -> None:
    result = run("publish", rules, "--store", "mysql+pymysql://kairos:secret@127.0.0.1:1/kairos")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "kairos: the rule store mysql+pymysql://kairos:***@127.0.0.1:1/kairos does not answer"
    )
    assert "secret" not in result.stderr


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
        (("root", "--user", "u"), f"there is no role 'root'; there are {', '.join(ROLES)}"),
        (("job", "--user", "u'@'%"), "--user: expected letters, digits and underscores"),
        (("job", "--user", "u", "--database", "a`.`b"), "--database: expected letters, digits and underscores"),
    ],
)
def test_rights_for_nobody_in_particular_are_not_printed(arguments: tuple[str, ...], said: str) -> None:
    result = run("database", "grants", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
