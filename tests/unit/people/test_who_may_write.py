"""Who writes what is known of people needs the right where the rule store has users, and stands in its log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog
from kairos.adapters.rules.store import open_rule_store
from kairos.apps.inputs.acting import TOKEN
from kairos.engine.rule.load import load
from kairos.engine.rule.release import Release
from kairos.usecases.control import users
from kairos.usecases.control.deeds import person_subject
from kairos.usecases.control.rights import Actor
from kairos.usecases.control.verify import verify
from tests.unit.cli.cli_kit import run
from tests.unit.people.conftest import Place
from tests.unit.warehouse.warehouse_kit import NOON

NO_REDIS = "redis://127.0.0.1:1/0"
ANN = person_subject("u1")
DEEDS: dict[str, tuple[list[str], int, list[tuple[str, str]]]] = {
    "people merge": (["u2", "u1"], 0, [("merge_people", person_subject("u2")), ("merge_people", ANN)]),
    "people forget": (["u1"], 0, [("forget_person", ANN)]),
    "warehouse forget": (["u1"], 0, [("forget_person", ANN)]),
    "people import": (
        ["{folder}/crm.csv", "--source", "crm", "--rules", "{folder}/rules"],
        0,
        [("import_people", "people/crm")],
    ),
    "crowds import": (["vip", "{folder}/crm.csv", "--rules", "{folder}/rules"], 0, [("import_crowd", "crowd/vip")]),
    "crowds build": (
        ["named", "--rules", "{folder}/rules", "--as-of", "2026-11-02T00:00Z"],
        0,
        [("build_crowd", "crowd/named")],
    ),
    "scores build": (["risk", "--rules", "{folder}/rules"], 0, [("build_scores", "score/risk")]),
    # with no Redis there: what is refused for want of a right, and noted, is so before anything is written
    "profiles load": (["{folder}/crm.csv"], 2, [("load_profiles", "profiles/crm.csv")]),
    "list add": (["black", "u1"], 2, [("list_on", "list/black")]),
    "list remove": (["white", "u1"], 2, [("list_off", "list/white")]),
    "consent set": (["u1", "news", "off"], 2, [("consent_off", f"{ANN}/news")]),
}
"""Command -> its arguments, how it ends for who may, and what is in the log then."""


class Store(NamedTuple):
    """`tokens`: of an author and a viewer, by name."""

    address: str
    tokens: dict[str, str]


@pytest.fixture
def store(place: Place) -> Store:
    """The rule store of everything that is written, with users."""
    place.fill()
    address = f"sqlite:///{place.folder / 'rules.db'}"
    rules = place.folder / "rules"
    (rules / "profile.yaml").write_text("level: integer\n")
    (rules / "topics.yaml").write_text("news: {default: opt_in}\n")
    (rules / "crowds.yaml").write_text("vip: {members: kept}\nnamed: {where: count(purchase) >= 1, refresh: 1d}\n")
    (rules / "scores.yaml").write_text("risk: {table: risk.csv, column: risk}\n")
    (rules / "risk.csv").write_text("user_id,risk\nu1,0.5\n")
    (place.folder / "crm.csv").write_text("user_id,level\nu2,7\n")
    loaded = load({path.name: path.read_bytes() for path in rules.glob("*.yaml")})
    assert loaded.rules is not None, loaded.findings
    open_rule_store(address).publish(Release(1, loaded.rules), {}, "ann")
    nobody = Actor("root")
    with Control(address) as control:
        users.add_user(control, "root", ["admin"], None, nobody, NOON)
        admin = Actor("root", frozenset({"admin"}))
        for name in ("author", "viewer"):
            users.add_user(control, name, [name], None, admin, NOON)
        tokens = {name: users.make_token(control, name, "", 9_000, admin, NOON) for name in ("author", "viewer")}
    return Store(address, tokens)


def noted(store: Store) -> list[tuple[str, str, str]]:
    with Control(store.address) as control:
        return [
            (each.actor, each.action, each.subject)
            for each in AuditLog(control).entries()
            if each.subject.partition("/")[0] not in ("user", "token")
        ]


def options(command: str, folder: Path, store: Store) -> Sequence[str]:
    match command.split()[0]:
        case "people":
            return ("--conf", f"{folder}/conf.yaml")
        case "crowds":
            return ("--conf", f"{folder}/conf.yaml", "--warehouse", f"{folder}/w")
        case "scores" | "warehouse":
            return ("--store", store.address, "--warehouse", f"{folder}/w")
        case "profiles":
            return ("--store", store.address, "--redis", NO_REDIS, "--rules", f"{folder}/rules")
    rest = (folder / "conf.yaml").read_text().partition("\n")[2]
    (folder / "away.yaml").write_text(f"profiles: {{redis: '{NO_REDIS}'}}\n{rest}")
    return ("--conf", f"{folder}/away.yaml")


@pytest.mark.parametrize("command", DEEDS)
def test_who_may_not_writes_nothing_and_who_may_is_noted(
    command: str, place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, code, log = DEEDS[command]
    arguments = [*command.split(), *(each.format(folder=place.folder) for each in given)]
    arguments += options(command, place.folder, store)
    before = place.read()
    for token, said in (("", "KAIROS_TOKEN"), (store.tokens["viewer"], "viewer may not write")):
        monkeypatch.setenv(TOKEN, token)
        refused = run(*arguments)
        assert refused.exit_code == 2
        assert said in refused.stderr
        assert (place.read(), noted(store)) == (before, [])
    monkeypatch.setenv(TOKEN, store.tokens["author"])
    done = run(*arguments)
    assert done.exit_code == code, done.stderr
    assert noted(store) == [("author", *each) for each in log]
    assert verify(store.address).problems == []


def test_what_is_due_is_built_without_a_token(place: Place, store: Store) -> None:
    crowds = ["--conf", str(place.conf), "--warehouse", str(place.folder / "w"), "--rules", str(place.folder / "rules")]
    built = run("crowds", "build", "--due", *crowds)
    assert "named" in built.stdout
    assert built.stderr.startswith("named: the newest event of the warehouse is older")  # built, and refused as stale
    assert run("crowds", "build", "--due", "--accept-change", *crowds).exit_code == 2
    assert noted(store) == []


def test_the_log_knows_nobody_by_their_id(place: Place, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, store.tokens["author"])
    ann = "ann-of-the-shop"
    place.write({ann: {"level": 1}})
    assert place.people("forget", ann, rules=False).exit_code == 0
    assert noted(store)[-1] == ("author", "forget_person", person_subject(ann))
    assert ann.encode() not in (place.folder / "rules.db").read_bytes()
