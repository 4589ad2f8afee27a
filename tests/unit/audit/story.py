"""Decisions and what became of them, written down by hand as job and workers write them, and audited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from kairos.adapters.delivery.ledger_reader import open_ledger_reader
from kairos.adapters.delivery.tables import CALLS, CONTROLS, LEDGER, METADATA, delivery_key
from kairos.adapters.output.decision_log import FolderLog
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release, activity_version
from kairos.usecases.results.audit.audit import Audit, judge
from kairos.usecases.results.audit.inputs import Given, Inputs
from kairos.usecases.results.audit.world import Kept
from tests.engine_kit import BASE, DAY, ms, rules

POLICY = """
timezone: UTC
quiet_hours: {from: "22:00", to: "08:00"}
default_caps: [m]
caps:
  m: {rules: [{max: 2, per: 1d}, {max: 1, per: 1h, channel: sms}]}
  days: {rules: [{max: 1, per: 1d, window: calendar}]}
  weeks: {rules: [{max: 1, per: 7d, window: calendar}]}
  one: {rules: [{max: 1, per: 1h}]}
lists: {white: [vip]}
matching: {offers: {per: 1d}}
budgets: {spring: {cost: 0.7}}
"""


def activity(name: str, **limits: Any) -> str:
    sends = "[{channel: sms, template: t}, {channel: email, template: t, after: 5m}, {channel: webhook}]"
    return f"activity: {name}\ntrigger: {{event: {name}}}\nlimits: {json.dumps(limits)}\nsend: {sends}\n"


RULES = rules(
    activity("plain"),
    activity("other"),
    activity("free", caps=[]),
    activity("quietly", caps=["m"], counts_toward=[]),
    activity("daily", caps=["days"]),
    activity("weekly", caps=["weeks"]),
    activity("once_an_hour", caps=["one"]),
    activity("rude", caps=[], quiet_hours="ignore"),
    activity("by_day", caps=[], send_window={"from": "10:00", "to": "20:00", "days": ["mon", "tue"]}),
    activity("by_night", caps=[], quiet_hours="ignore", send_window={"from": "23:00", "to": "02:00", "days": ["mon"]}),
    activity("news", caps=[]).replace("trigger", "topic: news\ntrigger"),
    activity("scarce", caps=[], budget={"sends": 2}),
    activity("offered", caps=[]).replace("trigger", "matching: offers\nworth: {value: 9, uplift: 0.1}\ntrigger"),
    activity("dear", caps=[], budget="spring").replace("trigger", "worth: {cost: 0.3}\ntrigger"),
    activity("hasty", caps=[], send_before="2h"),
    policy=POLICY,
    topics="news: {default: opt_out}\n",
)


@dataclass
class Story:
    """`rows`, `calls` as in the tables; `deliveries`: what was handed over. Times are words such as `1h30m` after
    BASE, Monday 2026-11-02T12:00Z. `pools`: what lies in those of coupons."""

    rule_set: RuleSet = RULES
    decisions: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    profiles: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    resends: tuple[str, ...] = ("webhook",)
    pools: Mapping[str, Kept] | None = None

    def decide(self, name: str, at: str | int, occurrence: str = "", outcome: str = "send", **more: Any) -> str:
        """One decision; its delivery's key. Each has an occurrence of its own unless one is named."""
        attempt, user = more.pop("attempt", 1), more.pop("user", "u1")
        decision = {
            "activity": name,
            "version": activity_version(self.rule_set.activities[name]),
            "variant": None,
            "template": "t",
            "user_id": user,
            "at": at if isinstance(at, int) else BASE + ms(at),
            "outcome": outcome,
            "reason": None,
            "channel": "email" if outcome == "send" else None,
            "occurrence": occurrence or f"o{len(self.decisions)}",
            "steps": {},
            "data": {},
            **({"attempt": attempt} if attempt > 1 else {}),
            **more,
        }
        self.decisions.append(decision)
        return delivery_key(name, user, decision["occurrence"], attempt)

    def hand_over(self, until: str) -> None:
        """The delivery of the last decision."""
        last = self.decisions[-1]
        names = ("activity", "user_id", "occurrence", "channel", "at", "version", "template")
        limits = {"not_before": last["at"], "send_before": BASE + ms(until)}
        self.deliveries.append({name: last[name] for name in names} | {"attempt": last.get("attempt", 1)} | limits)

    def row(self, state: str, *outcomes: str | None, **more: Any) -> None:
        """The ledger's row for the last decision, with a call for each outcome, a second after one another."""
        last = self.decisions[-1]
        named = {name: last[name] for name in ("activity", "user_id", "occurrence", "channel")}
        attempt, at = last.get("attempt", 1), last["at"]
        key = delivery_key(last["activity"], last["user_id"], last["occurrence"], attempt)
        times = {"lease_until": at, "reserved_at": at, "settled_at": at}
        row = {"key": key, **named, "attempt": attempt, "state": state, "worker": "w", "calls": len(outcomes), **times}
        self.rows.append(row | {"provider_id": None, "reason": None} | more)
        for number, outcome in enumerate(outcomes, 1):
            self.call(key, number, outcome, at + 1_000 * number)

    def call(self, key: str, number: int, outcome: str | None, at: int) -> None:
        end = at + 100 if outcome else None
        call = {"key": key, "number": number, "worker": "w", "started_at": at, "ended_at": end, "outcome": outcome}
        self.calls.append(call | {"reason": None})

    def sent(self, name: str, at: str | int, occurrence: str = "", **more: Any) -> str:
        """Decided and sent at once."""
        key = self.decide(name, at, occurrence, **more)
        self.row("sent", "accepted")
        return key

    def write(self, folder: Path) -> str:
        """As a run's output; the ledger's address."""
        _write(folder / "decisions.jsonl", self.decisions)
        _write(folder / "deliveries.email.jsonl", [*self.deliveries, {"recall": {"activity": "plain"}}])
        address = f"sqlite:///{folder / 'delivery.db'}"
        self.fill(address)
        return address

    def fill(self, address: str) -> None:
        """The ledger's tables, made anew."""
        engine = sql.create_engine(address)
        METADATA.drop_all(engine)
        METADATA.create_all(engine)
        control = {"rate": None, "paused": True, "reason": None, "changed_by": "me", "changed_at": BASE}
        channels = [{"channel": channel, **control} for channel in self.paused]
        with engine.begin() as connection:
            for table, rows in ((LEDGER, self.rows), (CALLS, self.calls), (CONTROLS, channels)):
                if rows:
                    connection.execute(table.insert(), rows)
        engine.dispose()

    def audit(self, folder: Path, now: str | None = None, releases: list[Release] | None = None) -> Audit:
        """`now`: None for a run that is over."""
        folder.mkdir(parents=True, exist_ok=True)
        given = Given(
            releases or [Release(1, self.rule_set)],
            self.profiles.get,
            lambda channel: channel in self.resends,
            None if now is None else BASE + ms(now),
            coupons=self.pools,
        )
        with open_ledger_reader(self.write(folder)) as ledger:
            return judge(Inputs(FolderLog(folder), ledger, given, {}), most=5)


def began(call: dict[str, Any], at: int) -> None:
    """The call as it would be, had it begun then."""
    call |= {"started_at": at, "ended_at": at + 100}


def found(audited: Audit) -> dict[str, list[str]]:
    """Check -> what it found, of those that found something."""
    return {f.check: [e.violation.what for e in f.evidence] for f in audited.findings if f.result.count}


def examined(audited: Audit, check: str) -> dict[str, int]:
    [finding] = [finding for finding in audited.findings if finding.check == check]
    return {**finding.result.examined, **finding.result.exempt, **finding.result.not_judged}


def _write(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


__all__ = ["BASE", "DAY", "RULES", "Story", "activity", "began", "examined", "found"]
