"""KAIROS_CONF: one variable says for all commands which installation they are about, as runbooks call them."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog
from kairos.apps.inputs.installation import CONF
from kairos.apps.inputs.kafka import kafka_of
from tests.unit.cli.cli_kit import run
from tests.unit.cli.help.test_help import CALLED
from tests.unit.control.desk import desk_in
from tests.unit.warehouse.warehouse_kit import decision, fill


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one release, and a warehouse with one decision; nothing of it is in the data folder."""
    fill(tmp_path / "numbers", decisions=[decision(activity="nudge")])
    conf = tmp_path / "site.yaml"
    kafka = "kafka: {bootstrap: 'site:9092'}"
    conf.write_text(
        f"rules: {{store: '{desk_in(tmp_path).store}'}}\nwarehouse: {{folder: {tmp_path}/numbers}}\n{kafka}\n"
    )
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv(CONF, str(conf))
    return conf


@pytest.mark.parametrize("context", CALLED[1:], ids=lambda context: context.command_path)
def test_each_command_with_a_configuration_asks_it(context: typer.Context) -> None:
    assert {param.envvar for param in context.command.params if param.name == "conf"} <= {CONF}


def test_the_switch_is_that_of_the_installation(installation: Path, tmp_path: Path) -> None:
    paused = run("pause", "nudge", "--reason", "wrong link")
    assert (paused.exit_code, "nudge: paused since" in paused.stdout) == (0, True), paused.output
    assert f"the rule store is that of {installation}" in " ".join(paused.stderr.split())
    assert "wrong link" in run("history", "nudge").stdout
    assert not (tmp_path / "data" / "rules.db").exists()


def test_a_store_that_is_named_goes_before_it(installation: Path, tmp_path: Path) -> None:
    other = run("pause", "nudge", "--store", f"sqlite:///{tmp_path}/other.db")
    assert other.exit_code == 2, other.output


def test_numbers_are_those_of_its_warehouse(installation: Path) -> None:
    assert "nudge" in run("sql", "SELECT activity, count(*) FROM decisions GROUP BY 1").stdout


def test_whoever_erases_in_its_warehouse_is_asked_for_the_right(installation: Path, tmp_path: Path) -> None:
    """And stands in its log."""
    done = run("warehouse", "forget", "u1")
    assert done.exit_code == 0, done.output
    assert "decisions 1 erased" in done.stderr
    store = f"sqlite:///{tmp_path}/rules.db"
    with Control(store) as control:
        assert [entry.action for entry in AuditLog(control).entries()][-1].startswith("forget")
    assert run("users", "add", "ann", "--role", "admin").exit_code == 0
    refused = run("warehouse", "forget", "u2")
    assert (refused.exit_code, "the rule store has users" in refused.stderr) == (2, True), refused.output


def test_a_broker_that_is_named_goes_before_it(installation: Path) -> None:
    """As the stack starts its heartbeat."""
    assert kafka_of("other:9092", installation, None).bootstrap == "other:9092"
    assert kafka_of(None, installation, None).bootstrap == "site:9092"
