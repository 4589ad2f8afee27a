"""One user of an engine as a job has it: with delivery workers, and a watermark that somebody moves."""

from __future__ import annotations

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.engine import Engine
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, Profiles, engine_of, event, ms, receipt, rules, tell


class User:
    """Each call brings one event at a watermark, or moves the watermark alone. Receipts are those of activity `a`."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.state = engine, UserState()

    def take(self, text: str, watermark: str, place: int) -> list[str]:
        return told(self.effects(text, watermark, place))

    def effects(self, text: str, watermark: str, place: int) -> list[Effect]:
        one = receipt(text) if " a " in text else event(text, place)
        return self.engine.on_event("u1", self.state, one, BASE + ms(watermark))

    def wait(self, watermark: str) -> list[str]:
        return told(self.engine.on_time("u1", self.state, BASE + ms(watermark)))


def told(effects: list[Effect]) -> list[str]:
    """Decisions in words; whatever else by its name: `late`, `recall`, `refund`."""
    records = [effect.record if isinstance(effect, Candidate) else effect for effect in effects]
    return [tell(r) if isinstance(r, Record) else type(r).__name__.lower() for r in records]


def user(text: str, policy: str = "", metrics: str = "", profiles: Profiles | None = None, **settings: int) -> User:
    files = {name: content for name, content in (("policy", policy), ("metrics", metrics)) if content}
    return User(engine_of(rules(text, **files), profiles, Settings(**settings)))
