"""`kairos source` as it is called, over SQLite; Kafka is away, which `add` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kairos.adapters.sources.port import Access, key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.apps.cli import app
from kairos.engine.rule.model import EventSchema, Source

RECORD = "shop:\n  events:\n    order: {order_id: string!}\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    file = tmp_path / "conf.yaml"
    file.write_text(
        f"kafka: {{bootstrap: '127.0.0.1:1'}}\nrules: {{store: '{tmp_path}'}}\n"
        f"gateway: {{sources: 'sqlite:///{tmp_path}/control.db'}}\n"
    )
    return file


@pytest.fixture
def store(conf: Path, tmp_path: Path) -> SqlSourceStore:
    store = SqlSourceStore(f"sqlite:///{tmp_path}/control.db")
    store.put(Source("shop", {"order": EventSchema({"order_id": "string"}, ("order_id",))}), "ann")
    return store


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["source", *(str(argument) for argument in arguments)])


def access(store: SqlSourceStore) -> Access:
    return store.read().entries["shop"].access


def test_without_kafka_a_source_is_added_and_its_topic_left_to_the_gateway(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(RECORD)
    added = run("add", tmp_path / "shop.yaml", "--conf", conf, "--by", "ann")
    assert added.exit_code == 1
    assert "shop: added" in added.output
    assert "events.shop: not made now" in added.output
    assert "shop" in SqlSourceStore(f"sqlite:///{tmp_path}/control.db").read().entries


def test_switches_and_limits(conf: Path, store: SqlSourceStore) -> None:
    for verb, enabled in (("off", False), ("on", True)):
        assert run(verb, "shop", "--conf", conf).output == f"shop: {verb}\n"
        assert store.read().entries["shop"].source.enabled is enabled
    limits = ("rate", 2.5), ("max-bytes", 900), ("hmac", "env:S"), ("priority", 90)
    set_ = [word for name, value in limits for word in (f"--{name}", value)]
    assert run("limit", "shop", *set_, "--conf", conf).exit_code == 0
    assert access(store) == Access((), {"env": "S"}, 2.5, 900, 90)
    run("limit", "shop", *(word for name, _ in limits for word in (f"--{name}", "none")), "--conf", conf)
    assert access(store) == Access()


def test_a_key_is_printed_once_and_can_be_revoked(conf: Path, store: SqlSourceStore) -> None:
    made = run("key", "shop", "--label", "web server", "--conf", conf).output.strip()
    assert access(store).keys == (key_hash(made),)
    shown = run("show", "shop", "--conf", conf).output
    assert made not in shown
    assert key_hash(made)[:8] in shown
    assert "web server" in shown
    assert "ann  added" in shown
    assert run("key", "shop", "--revoke", key_hash(made)[:8], "--conf", conf).exit_code == 0
    assert access(store).keys == ()


def test_list(conf: Path, store: SqlSourceStore) -> None:
    assert run("list", "--conf", conf).output.split() == ["shop", "on", "no", "limit", "0", "keys", "order"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("off", "shpo"), 2, "there are shop"),
        (("show", "shpo"), 2, "there are shop"),
        (("limit", "shop"), 2, "say what to set"),
        (("limit", "shop", "--rate", "0"), 2, "above 0"),
        (("limit", "shop", "--rate", "inf"), 2, "above 0"),
        (("limit", "shop", "--max-bytes", "2000000"), 2, "expected 1 to"),
        (("limit", "shop", "--priority", "101"), 2, "expected 0 to 100"),
        (("limit", "shop", "--priority", "-1"), 2, "a whole number"),
        (("limit", "shop", "--hmac", "opensesame"), 2, "has no place here"),
        (("key", "shop", "--revoke", "00000000"), 2, "no keys"),
        (("add", "nowhere.yaml"), 2, "no such file"),
    ],
)
def test_what_cannot_be_done(
    conf: Path, store: SqlSourceStore, arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    result = run(*arguments, "--conf", conf)
    assert result.exit_code == exit_code
    assert words in " ".join(result.output.replace("│", " ").split())
    assert "opensesame" not in result.output


def test_findings_have_their_place(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("shop:\n  evnets: {}\n")
    result = run("add", tmp_path / "bad.yaml", "--conf", conf)
    assert result.exit_code == 1
    assert f"{tmp_path}/bad.yaml:2:3: error: " in result.output


def test_a_rule_folder_is_shown_and_edited_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text(f"kafka: {{bootstrap: '127.0.0.1:1'}}\nrules: {{store: {tmp_path}}}\n")
    (tmp_path / "sources.yaml").write_text(RECORD)
    assert run("list", "--conf", file).output.split()[:2] == ["shop", "on"]
    assert "order_id" in run("show", "shop", "--conf", file).output
    result = run("off", "shop", "--conf", file)
    assert result.exit_code == 2
    assert "edit them there" in result.output
