"""A place with a warehouse, profiles in a file, a ledger and rules, as `kairos people` finds it by a configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.tables import LEDGER, delivery_key
from tests.unit.cli.cli_kit import run
from tests.unit.warehouse.warehouse_kit import DAY, HOUR, NOON, decision, event, fill

PROFILES: dict[str, dict[str, Any]] = {
    "u1": {"name": "Ann", "email": "ann@example.com", "level": 3, "score_alive": 0.75, "unsubscribed": ["sms"]},
    "u2": {"email": "bob@example.com", "phone": "+447700900123", "lists": ["black"], "crowds": ["staff"]},
}


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.profiles = folder / "profiles.json"
        self.write(PROFILES)
        rules = folder / "rules"
        rules.mkdir()
        (rules / "policy.yaml").write_text("caps: {few: {rules: [{max: 1, per: 7d}]}}\ndefault_caps: [few]\n")
        (rules / "grades.yaml").write_text("A: profile.level >= 3\nB: profile.level >= 2\n")
        (rules / "crowds.yaml").write_text("friends: {members: [u1]}\n")
        self.conf = folder / "conf.yaml"
        self.conf.write_text(
            f"profiles: {{file: {self.profiles}}}\nwarehouse: {{folder: {folder / 'w'}}}\n"
            f"rules: {{store: 'sqlite:///{folder / 'rules.db'}'}}\n"
            f"delivery: {{store: 'sqlite:///{folder / 'ledger.db'}'}}\n"
        )

    def write(self, profiles: dict[str, dict[str, Any]]) -> None:
        self.profiles.write_text(json.dumps(profiles))

    def read(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads(self.profiles.read_text())
        return found

    def fill(self) -> None:
        """u1 bought, and got one message; another waits. u3 has no profile."""
        events = [
            event("e1", NOON - 2 * DAY, type="purchase", user_id="u1", props={"device_id": "d-77", "amount": 5}),
            event("e2", NOON, user_id="u3"),
        ]
        decisions = [
            decision(NOON - 2 * DAY, user_id="u1", data={"order_id": "A-20417"}),
            decision(NOON - HOUR, user_id="u1", activity="news", occurrence="o2", outcome="hold", reason="quiet_hours"),
            decision(
                NOON - DAY, user_id="u2", activity="news", occurrence="o3", outcome="suppress", reason="blacklist"
            ),
        ]
        fill(self.folder / "w", events=events, decisions=decisions, profiles=PROFILES)

    def ledger(self, *states: str, user: str = "u1") -> Any:
        """A message in each state; the database's engine."""
        engine = open_engine(f"sqlite:///{self.folder / 'ledger.db'}")
        create_tables(engine)
        row = {"activity": "hello", "user_id": user, "attempt": 1, "channel": "email", "worker": "w1", "calls": 1}
        row |= {"lease_until": NOON, "reserved_at": NOON, "provider_id": "p-1", "reason": "said so"}
        rows = [
            {**row, "key": delivery_key("hello", user, f"o{n}", 1), "occurrence": f"o{n}", "state": state}
            for n, state in enumerate(states)
        ]
        with engine.begin() as connection:
            connection.execute(LEDGER.insert(), rows)
        return engine

    def people(self, *arguments: str, rules: bool = True) -> Result:
        options = ["--conf", str(self.conf)] + (["--rules", str(self.folder / "rules")] if rules else [])
        return run("people", *arguments, *options)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path / "data"))
    return Place(tmp_path)
