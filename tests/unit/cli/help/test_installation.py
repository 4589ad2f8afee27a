"""`--conf`, or KAIROS_CONF as runbooks call commands, says for all of them which installation they are about."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.core import TyperOption

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog
from kairos.apps.inputs.installation import CONF, PLACES
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


@pytest.mark.parametrize("context", CALLED[1:], ids=lambda context: context.command_path)
def test_whoever_may_name_a_place_of_it_may_name_the_whole(context: typer.Context) -> None:
    """So there is one way to say it."""
    options = {param.name for param in context.command.params if isinstance(param, TyperOption)}
    assert not options & PLACES or "conf" in options


def test_what_stands_on_the_line_goes_before_the_environment(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is forgotten with the call."""
    fill(tmp_path / "other", decisions=[decision(activity="elsewhere")])
    conf = tmp_path / "other.yaml"
    conf.write_text(f"rules: {{store: 'sqlite:///{tmp_path}/other.db'}}\nwarehouse: {{folder: {tmp_path}/other}}\n")
    asked = ("sql", "SELECT DISTINCT activity FROM decisions")
    assert "elsewhere" in run(*asked, "--conf", conf).stdout
    assert "nudge" in run(*asked, "--conf", conf, "--warehouse", tmp_path / "numbers").stdout
    assert "nudge" in run(*asked).stdout
    monkeypatch.setenv("KAIROS_RULE_STORE", desk_in(tmp_path).store)
    assert run("history", "nudge").exit_code == 0
    assert "other.db" in run("history", "nudge", "--conf", conf).stderr
    assert run("history", "nudge", "--conf", conf, "--store", desk_in(tmp_path).store).exit_code == 0


@pytest.mark.parametrize("command", [("replay", "events.jsonl"), ("catalog", "load", "items.csv")])
def test_a_store_that_is_named_goes_before_that_of_what_is_written_to(
    command: tuple[str, ...], installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As everywhere: whoever names a store is asked there who he is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "catalogs.yaml").write_text("products: {key: sku, fields: {price: number}}\n")
    other = f"sqlite:///{tmp_path}/other.db"
    assert run("users", "add", "ann", "--role", "admin", "--store", other).exit_code == 0
    refused = run(*command, "--conf", installation, "--store", other)
    assert (refused.exit_code, "the rule store has users" in refused.stderr) == (2, True), refused.output


def test_profiles_are_written_where_it_has_them(installation: Path, tmp_path: Path) -> None:
    """They went into the Redis of the stack on this machine, whatever installation was named."""
    people = tmp_path / "people.json"
    people.write_text('{"u1": {"level": 3}}')
    (tmp_path / "rules").mkdir()
    loaded = ("profiles", "load", people, "--rules", tmp_path / "rules")
    assert "its profiles are not in Redis" in run(*loaded).stderr
    installation.write_text(installation.read_text() + "profiles: {redis: 'redis://127.0.0.1:1/0'}\n")
    assert "127.0.0.1:1" in run(*loaded).stderr


def test_what_is_on_trial_is_looked_up_in_its_store(installation: Path) -> None:
    assert "nothing of nudge is on trial in release 1" in run("shadow", "nudge").stderr


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
