"""The section `delivery` of a configuration, and Kafka's properties for clients that are no JVM."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.kafka.client import client_options
from kairos.adapters.settings.delivery import ChannelSettings, load
from kairos.adapters.settings.file import SettingsError
from kairos.adapters.settings.kafka import KafkaAddress

STORE = "kafka: {bootstrap: 'b:9092', group: kairos}\ndelivery:\n  store: sqlite:///x.db\n"


def written(folder: Path, channels: str, head: str = STORE) -> Path:
    file = folder / "conf.yaml"
    file.write_text(f"{head}  channels:\n    {channels}\n")
    return file


@pytest.mark.parametrize("name", ["local", "cluster"])
def test_the_configurations_that_come_with_it_serve_every_channel(name: str) -> None:
    conf = load(Path(f"conf/{name}.yaml"))
    assert set(conf.delivery.channels) == {"sms", "push", "email", "wechat", "in_app", "webhook"}
    for channel in conf.delivery.channels:
        assert conf.channel(channel).provider == "file"


def test_the_embedded_one_names_its_ledger() -> None:
    assert load(Path("conf/embedded.yaml")).delivery.store.endswith("/run/delivery.db")


def test_defaults_and_what_is_written(tmp_path: Path) -> None:
    conf = load(written(tmp_path, "sms: {provider: file, path: x, timeout: 2s, resend: true, max_age: 2h}"))
    policy = conf.channel("sms").policy("sms")
    assert (policy.timeout, policy.resend, policy.max_age, policy.attempts) == (2_000, True, 7_200_000, 5)


@pytest.mark.parametrize(("channel", "resend"), [("webhook", True), ("sms", False), ("email", False)])
def test_only_webhooks_are_sent_again_by_default(tmp_path: Path, channel: str, resend: bool) -> None:
    conf = load(written(tmp_path, f"{channel}: {{provider: file, path: x}}"))
    assert conf.channel(channel).policy(channel).resend is resend


def test_overrides_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELIVERY_TEST_PATH", str(tmp_path))
    file = written(tmp_path, 'sms: {provider: file, path: "${DELIVERY_TEST_PATH}/out.jsonl"}')
    conf = load(file, ["delivery.channels.sms.concurrency=7"])
    assert conf.channel("sms").concurrency == 7
    assert conf.delivery.channels["sms"]["path"] == f"{tmp_path}/out.jsonl"


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ("sms: {provider: flie, path: x}", "delivery.channels.sms.provider: no provider is called 'flie'"),
        ("sms: {provider: file, pth: x}", "delivery.channels.sms: unknown key 'pth'; did you mean 'path'?"),
        ("sms: {provider: file, path: x, timeout: 5}", "delivery.channels.sms.timeout: expected a duration"),
        ("sms: {provider: file, path: x, attempts: 0}", "delivery.channels.sms.attempts must be more than 0"),
        ("sms: {path: x}", "delivery.channels.sms"),
        ("push: {provider: file, path: x}", "no 'delivery.channels.sms' says how to send there; there are: push"),
        ("SMS: {provider: file, path: x}", "'SMS' is not the name of a channel"),
        ("sms: 3", "delivery.channels"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(tmp_path: Path, channels: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(written(tmp_path, channels)).provider("sms")
    assert message in str(raised.value)
    assert "conf.yaml" in str(raised.value)


def test_a_secret_as_text_is_refused_and_not_repeated(tmp_path: Path) -> None:
    conf = load(written(tmp_path, "webhook: {provider: webhook, url: 'https://x/y', secret: hunter2}"))
    with pytest.raises(SettingsError, match="never as text") as raised:
        conf.provider("webhook")
    assert "hunter2" not in str(raised.value)


def test_a_configuration_without_the_section(tmp_path: Path) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text("kafka: {bootstrap: x}\n")
    with pytest.raises(SettingsError, match="a section 'delivery' is needed"):
        load(file)


JAAS = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p\\"w";'


def test_every_key_is_documented_and_no_other() -> None:
    page = Path("docs/delivery.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+?) \| .+ \|$", page, re.MULTILINE))
    own = {f"delivery.{name}" for name in ("store", "lists", "unsubscribe")}
    assert rows.keys() == own | set(ChannelSettings.__struct_fields__)
    assert rows["concurrency"] == f"`{ChannelSettings('x').concurrency}`"


def test_kafkas_properties_become_arguments() -> None:
    properties = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.jaas.config": JAAS,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/ca.pem",
        "ssl.endpoint.identification.algorithm": "",
        "fetch.min.bytes": "1",
    }
    assert client_options(KafkaAddress("b:1", properties=properties)) == {
        "bootstrap_servers": "b:1",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "u",
        "sasl_plain_password": 'p"w',
        "ssl_cafile": "/ca.pem",
        "ssl_check_hostname": False,
    }


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"ssl.cipher.suites": "x"}, "'ssl.cipher.suites' cannot be honoured outside the JVM"),
        ({"ssl.truststore.location": "/a.jks"}, "'ssl.truststore.type' must be PEM"),
        ({"sasl.jaas.config": "Krb5LoginModule required;"}, "must name username"),
    ],
)
def test_security_that_cannot_be_had_is_refused(properties: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        client_options(KafkaAddress("b:1", properties=properties))


def test_a_command_that_cannot_start_says_why(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from kairos.apps.commands.operation.deliver import app

    def said(file: Path, *channels: Any) -> str:
        done = CliRunner().invoke(app, [*channels, "--conf", str(file)])
        assert done.exit_code == 2
        return done.stderr

    assert "there are: sms" in said(written(tmp_path, "sms: {provider: file, path: x}"), "smss")
    assert "names no channel" in said(written(tmp_path, "{}"))
    no_kafka = written(tmp_path, "sms: {provider: file, path: x}", head="delivery:\n  store: sqlite:///x.db\n")
    assert "without a section 'kafka'" in said(no_kafka, "sms")
    bad_store = written(tmp_path, "sms: {provider: file, path: x}", head=STORE.replace("sqlite:///", "postgresql://"))
    assert "expected sqlite:///FILE or mysql+pymysql://" in said(bad_store, "sms")
