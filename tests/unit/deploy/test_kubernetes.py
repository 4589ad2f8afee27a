"""The manifests: valid by Kubernetes' own schemas, whole, and calling commands that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from kairos.adapters.settings import alarms, api, delivery, gateway, warehouse
from kairos.engine.rule.load import load
from tests.unit.deploy.kit import ROOT, check_words, environment

FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.29", "1.34", "1.37")
FLINK = "flink.apache.org/v1beta1"
OTHERS = ("kustomization.yaml", "kairos.yaml")

MANIFESTS = [
    pytest.param(document, id=f"{path.stem}-{document['kind']}-{document['metadata']['name']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name not in OTHERS
    for document in yaml.safe_load_all(path.read_text())
]
DEPLOYMENTS = [each for each in MANIFESTS if each.values[0]["kind"] == "Deployment"]


def named(kind: str) -> dict[str, Any]:
    return {m["metadata"]["name"]: m["spec"] for (m,) in (each.values for each in MANIFESTS) if m["kind"] == kind}


@pytest.mark.parametrize("manifest", [each for each in MANIFESTS if each.values[0]["apiVersion"] != FLINK])
def test_valid_in_every_version(manifest: dict[str, Any]) -> None:
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_mistake_is_found() -> None:
    manifest = yaml.safe_load((FOLDER / "namespace.yaml").read_text())
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**manifest, "metdata": {}}, VERSIONS[0], strict=True)


def test_the_pods_of_flink_are_valid_too() -> None:
    """The operator's own schema is not checked; docs/deployment.md says so."""
    template = named("FlinkDeployment")["kairos-job"]["podTemplate"]
    pod = {**template, "metadata": {**template["metadata"], "name": "x"}}
    pod["spec"]["containers"][0]["image"] = "x"  # the operator sets it
    kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_every_file_is_listed() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == sorted(p.name for p in FOLDER.glob("*.yaml") if p.name not in OTHERS)
    assert [file for each in listed["configMapGenerator"] for file in each["files"]] == [
        "kairos.yaml",
        "rules/alarms.yaml",
    ]


@pytest.mark.parametrize("manifest", DEPLOYMENTS)
def test_a_deployment_runs_a_command_that_there_is_and_is_watched(manifest: dict[str, Any]) -> None:
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    check_words(container["args"])
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    (port,) = (each["containerPort"] for each in container["ports"])
    told = {each["name"]: each["value"] for each in container["env"]}
    if port == 9100:
        assert told["KAIROS_STATUS"] == "0.0.0.0:9100"
    assert manifest["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == str(port)
    assert not any("valueFrom" not in each and "SECRET" in each["name"] for each in container["env"])


def test_what_has_several_copies_keeps_one_through_a_drain() -> None:
    budgets = {spec["selector"]["matchLabels"]["app"] for spec in named("PodDisruptionBudget").values()}
    assert budgets == {name for name, spec in named("Deployment").items() if spec["replicas"] > 1}


def test_every_unit_of_systemd_has_its_deployment() -> None:
    units = {path.stem.partition("@")[0] for path in ROOT.glob("deploy/systemd/*.service")} - {"kairos-job"}
    deployed = {f"kairos-{name.removeprefix('kairos-').partition('-')[0]}" for name in named("Deployment")}
    assert deployed == units


def test_ports_of_policies_are_ports_of_pods() -> None:
    served = {
        port["containerPort"]
        for spec in named("Deployment").values()
        for port in spec["template"]["spec"]["containers"][0]["ports"]
    }
    let_in = {
        port["port"]
        for spec in named("NetworkPolicy").values()
        for rule in spec.get("ingress", [])
        for port in rule.get("ports", [])
    }
    assert let_in == served | {9249}  # Flink's reporter


def test_the_configuration_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    path = Path(FOLDER / "kairos.yaml")
    assert gateway.load(path).kafka.bootstrap == "k:1"
    channels = delivery.load(path).delivery.channels
    assert {f"kairos-deliver-{name}" for name in channels} <= named("Deployment").keys()
    assert warehouse.load(path, []) is not None
    mounts = named("Deployment")["kairos-console"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert api.load(path).api.rules in {each["mountPath"] for each in mounts}
    told = alarms.load(path).alarms.receivers
    called = load({"alarms.yaml": (FOLDER / "rules" / "alarms.yaml").read_bytes()})
    assert set(called.alarms.send_to) == told.keys()
