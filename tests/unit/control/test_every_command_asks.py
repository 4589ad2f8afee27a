"""Every command of the parser: it asks who one is where the rule store has users, or it is said why it need not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog
from kairos.adapters.rules.store import open_rule_store
from kairos.apps.cli import app
from kairos.apps.inputs.acting import TOKEN
from kairos.engine.rule.load import load
from kairos.engine.rule.release import Release
from kairos.usecases.control import users
from kairos.usecases.control.rights import Actor
from tests.unit.cli.cli_kit import run

NOW = 1_790_000_000_000
RULES = {
    "activities/t/hello.yaml": "activity: hello\ntrigger: {event: ask}\nsend: [{channel: console}]\n",
    "activities/t/hello.test.yaml": "start: 2026-11-02T12:00\nprofiles: {u1: {email: a@example.com}}\ntests:\n"
    "  - {name: hello, events: [{at: 0s, ask: {user_id: u1}}], expect: [{at: 0s, outcome: send, channel: console}]}\n",
    "catalogs.yaml": "products: {key: sku, fields: {price: number}, follow: {wish: 90d}}\n",
    "coupons.yaml": "spring: {codes: redis}\n",
    "crowds.yaml": "vip: {members: kept}\nnamed: {where: count(purchase) >= 1, refresh: 1d}\n",
    "profile.yaml": "level: integer\n",
    "scores.yaml": "risk: {table: risk.csv, column: risk}\n",
    "topics.yaml": "news: {default: opt_in}\n",
    "risk.csv": "user_id,risk\nu1,0.5\n",
}
STORE, CONF, KEPT = ("--store", "{store}"), ("--conf", "conf.yaml"), ("--conf", "crowds.yaml")
NO_REDIS, NO_KAFKA = "redis://127.0.0.1:1/0", "127.0.0.1:1"
ASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "publish": ("publish", ("rules", *STORE)),
    "submit": ("write", ("rules", *STORE)),
    "reviews": ("look", STORE),
    "approve": ("", ("hello", *STORE)),
    "reject": ("", ("hello", "--comment", "no", *STORE)),
    "releases": ("look", STORE),
    "diff": ("look", ("1", "1", *STORE)),
    "rollback": ("publish", ("1", *STORE)),
    "history": ("look", ("hello", *STORE)),
    "pause": ("switch", ("hello", *STORE)),
    "resume": ("switch", ("hello", *STORE)),
    "end": ("switch", ("hello", "--reason", "over", *STORE)),
    "users add": ("administer", ("eve", "--role", "viewer", *STORE)),
    "users list": ("look", STORE),
    "users roles": ("administer", ("viewer", "--role", "admin", *STORE)),
    "users password": ("administer", ("root", *STORE)),
    "users disable": ("administer", ("root", *STORE)),
    "users token": ("administer", ("root", *STORE)),
    "users tokens": ("look", STORE),
    "users revoke": ("", ("0123456789abcdef", *STORE)),
    "people merge": ("write", ("u1", "u2", *CONF)),
    "people forget": ("write", ("u1", *CONF)),
    "people import": ("write", ("crm.csv", *CONF)),
    "crowds build": ("write", ("named", "--warehouse", "w", *KEPT)),
    "crowds import": ("write", ("vip", "crm.csv", "--warehouse", "w", *KEPT)),
    "scores build": ("write", ("risk", "--warehouse", "w", *STORE)),
    "list add": ("write", ("black", "u1", *CONF)),
    "list remove": ("write", ("black", "u1", *CONF)),
    "consent set": ("write", ("u1", "news", "off", *CONF)),
    "profiles load": ("write", ("crm.csv", "--redis", NO_REDIS, *STORE)),
    "catalog load": ("write", ("items.csv", "--kafka", NO_KAFKA, *STORE)),
    "coupons load": ("write", ("spring", "codes.txt", *CONF)),
    "send-test": ("write", ("hello", "--to", "u1", "--channel", "console", *CONF)),
    "warehouse forget": ("write", ("u1", "--warehouse", "w", *STORE)),
    "warehouse trim": ("write", ("--keep", "400d", "--warehouse", "w", *STORE)),
    "channel rate": ("limit", ("sms", "50", *CONF)),
    "channel pause": ("limit", ("sms", *CONF)),
    "channel resume": ("limit", ("sms", *CONF)),
    "source add": ("administer", ("shop.yaml", *CONF)),
    "source on": ("limit", ("shop", *CONF)),
    "source off": ("limit", ("shop", *CONF)),
    "source limit": ("limit", ("shop", "--rate", "5", *CONF)),
    "source key": ("administer", ("shop", *CONF)),
    "dead-letters replay": ("replay", ("--all", *CONF)),
    "replay": ("replay", ("events.jsonl", "--kafka", NO_KAFKA, *STORE)),
}
"""Command -> the right that it takes, and how it is called. "": it is about one's own step or token."""

OWN_FILES = "reads, and writes into a folder of one's own; what is in it reaches users by `kairos publish`, which asks"
READS = "reads only; whoever reaches the files, the database or Kafka may read them without Kairos as well"
PROCESS = "starts or stops processes of whoever owns this machine; they act by what is published and configured"
DERIVED = "makes anew what follows from Kafka and files that are there; it may be done twice"
NEED_NOT = {
    OWN_FILES: "new|plans|plans use|plans evidence|learn|tune|backtest|schema|dataset",
    READS: "plans show|plans diff|lint|test|simulate|explain|preview|journey draw|schedule|count|compare|shadow|report|"
    "people find|people show|crowds|crowds export|crowds overlap|crowds show|scores fit|leads|list show|coupons show|"
    "measure|sql|audit|channel list|source list|source show|dead-letters list|database grants",
    PROCESS: "run|stack up|stack down|stack status|cluster up|cluster down|cluster status|cluster package|"
    "cluster submit|cluster stop|fleet up|fleet down|fleet status|upgrade|deliver|callbacks|scheduler|heartbeat|"
    "gateway|bridge rabbitmq|bridge kafka|api|console|alarms|demo order-sms|demo fallback",
    DERIVED: "people index|warehouse load|warehouse compact",
    "takes the rights of a database's owner, and makes the tables in which users stand": "database upgrade",
}
"""Why -> commands."""

NOTED = {
    "catalog load": ("author", "load_items", "catalog/products"),
    "coupons load": ("author", "load_codes", "coupons/spring"),
    "send-test": ("author", "send_test", "message/hello"),
    "warehouse trim": ("author", "trim_warehouse", "warehouse/days"),
    "dead-letters replay": ("operator", "replay_dead_letters", "dead_letters/all"),
    "replay": ("operator", "replay_events", "events/events.jsonl"),
}
"""Command -> who may, and what is in the log then. What is known of people: tests/unit/people/test_who_may_write.py."""


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Each that does something: also of a group that is called without one of its own."""
    inner = getattr(command, "list_commands", None)
    if inner is None or command.invoke_without_command:
        yield " ".join(path)
    if inner is not None:
        context = typer.Context(command)
        for name in inner(context):
            yield from commands(command.get_command(context, name), (*path, name))


ALL = [name for name in commands(typer.main.get_command(app)) if name]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Rules, tables and configurations, and tokens by role. The rule store has users; Redis and Kafka are away. One
    for all: whoever is refused changes nothing."""
    folder = tmp_path_factory.mktemp("shop")
    for path, text in RULES.items():
        file = folder / "rules" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "crm.csv").write_text("user_id,level\nu2,7\n")
    (folder / "items.csv").write_text("sku,price\np1,7\n")
    (folder / "codes.txt").write_text("A1\n")
    (folder / "people.json").write_text('{"u1": {"email": "a@example.com"}}')
    (folder / "shop.yaml").write_text("shop:\n  events:\n    order: {order_id: string!}\n")
    (folder / "events.jsonl").write_text('{"id": "1", "type": "ask", "user_id": "u1", "time": 1763778000000}\n')
    store = f"sqlite:///{folder / 'rules.db'}"
    kept = f"rules: {{store: '{store}'}}\nprofiles: {{redis: '{NO_REDIS}'}}\n"
    (folder / "crowds.yaml").write_text(kept)
    (folder / "conf.yaml").write_text(
        f"{kept}kafka: {{bootstrap: '{NO_KAFKA}'}}\ngateway: {{sources: '{store}'}}\ncoupons: {{file: codes.db}}\n"
        "delivery: {store: 'sqlite:///ledger.db', channels: {console: {provider: file, path: out.jsonl}}}\n"
    )
    files = {path: text.encode() for path, text in RULES.items() if "test" not in path}
    for number in (1, 2, 3):  # the third is not published
        path = f"activities/t/more{number}.yaml"
        text = RULES["activities/t/hello.yaml"].replace("hello", f"more{number}")
        (folder / "rules" / path).write_text(text)
        loaded = load(files := {**files, path: text.encode()})
        assert loaded.rules is not None, loaded.findings
        if number < 3:
            open_rule_store(store).publish(Release(number, loaded.rules), {}, "ann")
    with Control(store) as control:
        users.add_user(control, "root", ["admin"], None, Actor("root"), NOW)
        admin = Actor("root", frozenset({"admin"}))
        roles = ("viewer", "author", "operator")
        for role in roles:
            users.add_user(control, role, [role], None, admin, NOW)
        return folder, {role: users.make_token(control, role, "", 3_000, admin, NOW) for role in roles}


@pytest.fixture
def folder(made: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made[0])
    monkeypatch.setenv("KAIROS_DATA", str(made[0] / "data"))
    monkeypatch.delenv(TOKEN, raising=False)
    return made[0]


def call(folder: Path, command: str) -> Any:
    store = f"sqlite:///{folder / 'rules.db'}"
    given = (word.format(store=store) for word in ASKS[command][1])
    profiles = ("--profiles", "people.json") if command == "send-test" else ()
    return run(*command.split(), *given, *profiles)


def log_of(folder: Path) -> list[tuple[str, str, str]]:
    with Control(f"sqlite:///{folder / 'rules.db'}") as control:
        return [(each.actor, each.action, each.subject) for each in AuditLog(control).entries()]


def test_of_every_command_it_is_known_whether_it_asks() -> None:
    need_not = [name for names in NEED_NOT.values() for name in names.split("|")]
    assert sorted([*ASKS, *need_not]) == sorted(ALL)


@pytest.mark.parametrize("command", ASKS)
def test_without_a_token_it_does_nothing_and_says_what_is_missing(folder: Path, command: str) -> None:
    before = log_of(folder)
    refused = call(folder, command)
    assert (refused.exit_code, "KAIROS_TOKEN" in refused.stderr) == (2, True), refused.output
    assert log_of(folder) == before


@pytest.mark.parametrize("command", [name for name, (right, _) in ASKS.items() if right not in ("", "look")])
def test_who_only_looks_is_told_which_right_it_takes(
    folder: Path, command: str, made: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, made[1]["viewer"])
    before = log_of(folder)
    refused = call(folder, command)
    assert refused.exit_code == 2
    assert f"viewer may not {ASKS[command][0]}: it takes one of the roles" in refused.stderr, refused.output
    assert log_of(folder) == before


@pytest.mark.parametrize("command", NOTED)
def test_what_is_written_or_sent_is_noted_before(
    folder: Path, command: str, made: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    who, action, subject = NOTED[command]
    monkeypatch.setenv(TOKEN, made[1][who])
    before = log_of(folder)
    call(folder, command)  # Kafka is away, so nothing is written there
    assert log_of(folder) == [*before, (who, action, subject)]
    assert b"@example.com" not in (folder / "rules.db").read_bytes()
