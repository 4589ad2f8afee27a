"""Monitoring as code, with Prometheus' and Alertmanager's own programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from harness.job import eventually
from kairos.adapters.metrics.declared import JOB, PARTS
from kairos.apps.native.programs import program
from kairos.apps.stack import Stack
from tests.conftest import free_ports

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = [
    rule
    for path in sorted(MONITORING.glob("rules/*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = sorted({rule["alert"] for rule in RULES if "alert" in rule})
TESTS = sorted(MONITORING.glob("tests/*.yml"))

OTHERS_ARE_SILENT = ("DeliveryBurn", "DeliveryLag", "ProviderSlow", "BridgeWaits")
"""In the scene in which one fires for a channel or a bridge there are others, for which it does not."""

pytestmark = pytest.mark.stack


def checked(*words: str | Path) -> str:
    done = subprocess.run([program(str(words[0])), *words[1:]], capture_output=True, text=True, cwd=MONITORING)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_configuration_and_rules_are_what_their_programs_take() -> None:
    checked("promtool", "check", "config", "prometheus.yml")
    checked("promtool", "check", "rules", "--lint-fatal", *sorted(MONITORING.glob("rules/*.yml")))
    assert "3 receivers" in checked("amtool", "check-config", "alertmanager.yml")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_only_then(path: Path) -> None:
    checked("promtool", "test", "rules", path)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_caused_in_a_test_and_silent_in_one_and_has_its_page(alert: str) -> None:
    scenes = [test for path in TESTS for test in yaml.safe_load(path.read_text())["tests"]]
    asked = [case for scene in scenes for case in scene["alert_rule_test"] if case["alertname"] == alert]
    assert any(case["exp_alerts"] for case in asked)
    assert any(not case["exp_alerts"] for case in asked) or alert in OTHERS_ARE_SILENT
    page = ROOT / "docs" / "runbooks" / f"{alert}.md"
    assert page.read_text().startswith(f"# {alert}\n")
    assert all((page.parent / link).exists() for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()))
    for rule in RULES:
        if rule.get("alert") == alert:
            assert rule["annotations"]["runbook"] == f"docs/runbooks/{alert}.md"
            assert rule["labels"]["severity"] in ("page", "ticket")


def test_what_rules_and_dashboards_ask_for_is_told() -> None:
    dashboards = [json.loads(path.read_text()) for path in MONITORING.glob("grafana/*.json")]
    asked = [target["expr"] for each in dashboards for panel in each["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for rule in RULES]
    told = {metric.name for part in PARTS for metric in part.metrics} | {f"kairos_job_{group}_total" for group in JOB}
    told |= {rule["record"] for rule in RULES if "record" in rule} | {"kairos_process_resident_memory_bytes"}
    names = {
        re.sub("_(bucket|count|sum)$", "", name) for expr in asked for name in re.findall(r"kairos[_:][\w:]+", expr)
    }
    assert names <= told
    scraped = (MONITORING / "prometheus.yml").read_text()
    listed = re.findall(r"kairos_\((.*?)\)_", scraped)
    assert [set(groups.split("|")) for groups in listed] == [set(JOB)] * 2


def test_a_heartbeat_that_cannot_beat_is_an_alert_within_a_minute(own_stack: Callable[..., Stack]) -> None:
    """From the real process through Prometheus to Alertmanager."""
    stack = own_stack("prometheus", "alertmanager")
    status = f"127.0.0.1:{free_ports(1)[0]}"
    process = subprocess.Popen(
        [sys.executable, "-m", "kairos", "heartbeat", "--kafka", "127.0.0.1:1", "--status", status],
        stderr=subprocess.DEVNULL,
    )
    try:
        targets = stack.folder / "prometheus" / "targets" / "kairos.yml"
        targets.write_text(f"- labels: {{part: heartbeat}}\n  targets: ['{status}']\n")
        address = f"http://127.0.0.1:{stack.settings.alertmanager_port}/api/v2/alerts"

        def firing() -> list[dict[str, str]]:
            with urlopen(address, timeout=30) as answer:
                return [alert["labels"] for alert in json.load(answer)]

        found = eventually(firing, lambda alerts: "HeartbeatSilent" in {each["alertname"] for each in alerts}, 90)
        assert {each["severity"] for each in found if each["alertname"] == "HeartbeatSilent"} == {"page"}
    finally:
        process.terminate()
        process.wait(30)
