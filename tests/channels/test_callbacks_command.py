"""`kairos callbacks` before it listens: what it says, and that it ends with 2."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kairos.apps.commands.operation.callbacks import app

TWILIO = "{provider: twilio, account: AC1, token: {env: TOKEN}, sender: '+1'}"


def run(folder: Path, channels: str, *arguments: str, kafka: str = "kafka: {bootstrap: '127.0.0.1:1'}") -> str:
    conf = folder / "conf.yaml"
    conf.write_text(f"{kafka}\ndelivery: {{store: 'sqlite:///{folder}/d.db', channels: {channels}}}\n")
    result = CliRunner().invoke(app, ["--conf", str(conf), *arguments])
    assert result.exit_code == 2, result.output
    return result.output


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ("{}", "no channel has a provider that reports"),
        ("{sms: {provider: console}}", "no channel has a provider that reports"),
        ("{sms: {provider: twillio}}", "conf.yaml: delivery.channels.sms.provider: no provider is called 'twillio'"),
        (
            "{sms: {provider: twilio}}",
            "delivery.channels.sms: without account and token and sender it cannot",
        ),
        (f"{{sms: {TWILIO}}}", "conf.yaml: delivery.channels.sms.token: the environment variable TOKEN is not set"),
    ],
)
def test_a_configuration_without_callbacks(
    tmp_path: Path, channels: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    assert said in run(tmp_path, channels)


def test_a_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = run(tmp_path, f"{{sms: {TWILIO}}}", "--port", str(port))
    assert f"cannot listen on 127.0.0.1, port {port}: address already in use" in said


def test_without_kafka_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t")
    assert "without a section 'kafka'" in run(tmp_path, f"{{sms: {TWILIO}}}", "--port", "0", kafka="")
