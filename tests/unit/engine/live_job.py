"""One user of a live job: receipts come from outside, and another operator spends budgets."""

from __future__ import annotations

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, ms, rules, run, tell

TRIGGER = "activity: a\ntrigger: {event: order}\n"


def two(more: str = "after: 5m") -> str:
    return f"{TRIGGER}send: [{{channel: wechat, template: t}}, {{channel: sms, template: t, {more}}}]\n"


CAP = "default_caps: [m]\ncaps: {m: {rules: [{max: 1, per: 1d}], on_exceed: {retry_for: 2h}}}\n"


class Job:
    """One user of a job with delivery workers, its watermark moved by hand."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.state = engine, UserState()

    def take(self, given: list[Event], until: str) -> list[Effect]:
        effects: list[Effect] = []
        for one in given:
            effects += self.engine.on_event("u1", self.state, one, 0)
        return effects + self.engine.on_time("u1", self.state, BASE + ms(until))


def told_by(effects: list[Effect]) -> list[str]:
    records = [e.record if isinstance(e, Candidate) else e for e in effects]
    return [tell(r) if isinstance(r, Record) else type(r).__name__ for r in records]


def played(text: str, given: list[Event]) -> list[Record]:
    return run(rules(text), given)
