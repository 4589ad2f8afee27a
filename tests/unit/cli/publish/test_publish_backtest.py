"""What `kairos publish` says of a change over the warehouse, and the page of `kairos compare`."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.controls import Controls
from tests.unit.cli.cli_kit import MINUTE, START, UNPAID, order, run, write_events
from tests.unit.warehouse.warehouse_kit import fill

DAY = 86_400_000
LIVE = UNPAID.replace("state: draft", "state: live")
TITLE = "what it would have done in the last 30 days of the warehouse"


@pytest.fixture
def data(rules: Path) -> Path:
    """The data folder of these tests."""
    return rules.parent / "data"


@pytest.fixture
def warehouse(data: Path) -> Path:
    """Three users' orders of today, one of them small, and one of 40 days before."""
    folder = data / "warehouse"
    small = order(3, 2 * MINUTE, "u3")
    small["props"]["amount"] = 55
    events = [order(9, -40 * DAY, "u9"), order(1, 0, "u1"), order(2, MINUTE, "u2"), small]
    profiles = {f"u{number}": {"phone": f"+{number}", "unsubscribed": []} for number in (1, 2, 3, 9)}
    fill(folder, events=[*events, order(4, 3 * MINUTE, "u4", "order_paid")], profiles=profiles)
    return folder


def published(rules: Path, text: str, *options: object) -> str:
    (rules / "activities/orders/order_unpaid.yaml").write_text(text)
    result = run("publish", rules, *options)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_last_30_days_are_compared(rules: Path, warehouse: Path) -> None:
    assert TITLE not in published(rules, LIVE), "nothing is there to compare with"
    dearer = published(rules, LIVE.replace("amount >= 50", "amount >= 60"), "--dry-run")
    lines = dearer[dearer.index(TITLE) :].splitlines()
    assert lines[1] == "4 events, 0 lines left out; profiles: today; every send counts as delivered"
    (sides,) = [line for line in lines if line.startswith("A release 1 (")]
    assert "B release 2 (" in sides
    assert ["order_unpaid", "2", "1", "3", "->", "2", "3", "->", "2"] in [line.split() for line in lines]
    assert "removed: 1 because of trigger" in lines
    assert any(line.startswith("  u3  order_unpaid  send sms -> nothing") for line in lines)
    assert "u9" not in dearer, "40 days are too long ago"
    assert lines[-1] == "not published (--dry-run)"


def test_what_is_switched_on_is_added(rules: Path, warehouse: Path) -> None:
    published(rules, UNPAID)
    assert "added: 3 because of" in published(rules, LIVE)


def test_peaks_stand_beside_the_rates(rules: Path, warehouse: Path, data: Path) -> None:
    published(rules, UNPAID)
    database = open_engine(f"sqlite:///{data}/rules.db")
    create_tables(database)
    Controls(database).limit("sms", 0.01, "ann", START)
    database.dispose()
    told = published(rules, LIVE, "--dry-run")
    assert "peak a minute, sms: 0 -> 1, of 0.6 that its rate allows: what comes faster waits\n" in told


@pytest.mark.parametrize("reason", ["asked not to", "no warehouse", "an empty one"])
def test_without_it(rules: Path, data: Path, reason: str) -> None:
    if reason == "an empty one":
        fill(data / "warehouse")
    published(rules, UNPAID)
    assert TITLE not in published(rules, LIVE, *(["--no-backtest"] if reason == "asked not to" else []))


def test_a_warehouse_that_cannot_answer_keeps_nobody_from_publishing(rules: Path, warehouse: Path) -> None:
    published(rules, UNPAID)
    for file in warehouse.rglob("*.parquet"):
        file.write_bytes(b"rubbish")
    (rules / "activities/orders/order_unpaid.yaml").write_text(LIVE)
    result = run("publish", rules)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "published release 2")
    assert "what it would have done cannot be told: " in result.stderr


def test_the_page_of_a_comparison(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0, "<b>u1</b>"), order(2, 0, "u2"))
    override = "B:activities.order_unpaid.within=20m"
    page = run("compare", rules, rules, events, "--set", override, "--format", "html")
    assert page.exit_code == 1
    assert page.stdout.startswith("<!doctype html>")
    assert "<h2>moved: 2 because of trigger</h2>" in page.stdout
    assert "&lt;b&gt;u1&lt;/b&gt;" in page.stdout
    assert "<b>" not in page.stdout
    assert run("compare", rules, rules, events, "--set", override, "--format", "html").stdout == page.stdout
