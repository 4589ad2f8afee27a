"""The Compose file: valid by the specification's own schema (compose-spec.json), whole, and calling what there is.

There is no Docker here, so nothing of it is started.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from jobs.settings import load as load_job
from kairos.adapters.settings import alarms, api, delivery, gateway, warehouse
from kairos.adapters.settings.file import SettingsError
from kairos.apps.callbacks.process import parsers_of
from kairos.engine.rule.load import load
from tests.unit.deploy.kit import ROOT, check_words, environment

FOLDER = ROOT / "deploy" / "compose"
SCHEMA = jsonschema.Draft7Validator(json.loads(Path(__file__).with_name("compose-spec.json").read_text()))
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = {"kafka", "redis", "mariadb"}
OURS = {name: service for name, service in SERVICES.items() if name not in SERVERS}
CALLING = {name: service for name, service in OURS.items() if name != "job"}


def test_valid() -> None:
    SCHEMA.validate(COMPOSE)


@pytest.mark.parametrize(
    ("name", "mistake"), [("imgae", "x"), ("restart", 3), ("depends_on", {"kafka": {"condition": 3}})]
)
def test_a_mistake_is_found(name: str, mistake: object) -> None:
    services = {**SERVICES, "gateway": {**SERVICES["gateway"], name: mistake}}
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({**COMPOSE, "services": services})


@pytest.mark.parametrize("name", CALLING)
def test_a_service_runs_a_command_that_there_is_and_is_watched(name: str) -> None:
    service = CALLING[name]
    check_words([re.sub(r"\$\{\w+:-\}", "amqp://r/", word) for word in service["command"]])
    assert "/live" in service["healthcheck"]["test"][-1]
    assert service["restart"] == "always"
    assert set(service["depends_on"]) == SERVERS


def test_every_unit_of_systemd_has_its_service() -> None:
    units = {path.name.removeprefix("kairos-").partition(".")[0] for path in ROOT.glob("deploy/systemd/*.service")}
    assert {unit.rstrip("@") for unit in units} == {name.partition("-")[0] for name in OURS}


def test_what_has_nothing_to_do_as_it_stands_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would end at once, again and again."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="no channel has a provider that reports"):
        parsers_of(delivery.load(FOLDER / "kairos.yaml"))
    assert {name for name, service in OURS.items() if "profiles" in service} == {"callbacks", "bridge"}


def test_the_job_is_started_as_systemd_starts_it() -> None:
    unit = (ROOT / "deploy" / "systemd" / "kairos-job.service").read_text()
    started = re.sub(r"\S*/python", "python", unit.partition("ExecStart=/bin/sh -c '")[2].partition("'\n")[0])
    assert " ".join(SERVICES["job"]["command"][0].split()) == started


def test_what_is_referred_to_is_there() -> None:
    assert all("healthcheck" in SERVICES[name] for name in SERVERS)
    volumes = {volume.partition(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert {name for name in volumes if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert all((FOLDER / name).exists() for name in volumes if name.startswith("."))
    named = set(re.findall(r"\$\{(\w+)", (FOLDER / "compose.yaml").read_text()))
    offered = set(re.findall(r"^(\w+)=", (FOLDER / "environment.example").read_text(), re.M))
    assert named - {"RABBITMQ_URL"} == offered


def test_nothing_listens_outside_of_this_machine_and_no_password_stands_in_it() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in name or value in ("${MARIADB_PASSWORD:?}", "1")
            assert not re.search(r"://\w*:(?!\$\{)[^/@]*@", value)


def test_the_configuration_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    path = FOLDER / "kairos.yaml"
    assert load_job(path).profiles.redis == "redis://r:1/0"
    assert gateway.load(path).kafka.bootstrap == "k:1"
    assert {f"deliver-{name}" for name in delivery.load(path).delivery.channels} <= SERVICES.keys()
    assert warehouse.load(path, []) is not None
    assert api.load(path).api.rules == "/etc/kairos/rules"
    told = alarms.load(path).alarms.receivers
    called = load({"alarms.yaml": (FOLDER / "rules" / "alarms.yaml").read_bytes()})
    assert set(called.alarms.send_to) == told.keys()
