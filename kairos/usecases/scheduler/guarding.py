"""Rollouts are watched: once what became of a new version breaks one of its guardrails, the switch ends its rollout."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from kairos.adapters.kafka.rollouts import Became, Decided
from kairos.engine.rule.changes.rollout import Rollout, rollouts_of
from kairos.engine.rule.release import Release
from kairos.usecases.scheduler.ports import People, Switch
from kairos.usecases.scheduler.stopping import ENOUGH

DAY = 86_400_000
"""So far back (ms) it is read at most when the watch begins."""
REST = 10
"""People are asked again after so many times as long as it took to ask them."""
MOST = 50_000
"""So many messages of a rollout are kept, the newest: memory and steps stay small, and what breaks late shows."""


class Heard(Protocol):
    """`KafkaRollouts`."""

    def read(self, since: int) -> tuple[Sequence[Decided], Sequence[Became]]: ...
    def restart(self) -> None: ...


@dataclass(slots=True)
class Message:
    """`attempts`: number -> whether it went. `hole`: a text of it had one."""

    user: str
    sent: bool = False
    hole: bool = False
    regretted: bool = False
    attempts: dict[int, bool] = field(default_factory=dict)


@dataclass
class Watched:
    """What is known of one rollout: its newest messages, by user and occurrence, and who of all people has said no to a
    topic since then (epoch ms). Whatever is told twice counts once."""

    rollout: Rollout
    since: int
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    gone: Set[str] = frozenset()

    def decide(self, record: Decided) -> None:
        hole = record.outcome == "suppress" and record.reason == "missing_value"
        if not hole and record.outcome not in ("send", "regret"):
            return
        message = self.messages.setdefault((record.user_id, record.occurrence), Message(record.user_id))
        message.hole |= hole
        message.sent |= record.outcome == "send"
        message.regretted |= record.outcome == "regret"
        if len(self.messages) > MOST:
            del self.messages[next(iter(self.messages))]

    def become(self, receipt: Became) -> None:
        message = self.messages.get((receipt.user_id, receipt.occurrence))
        if message is not None and receipt.status in ("sent", "failed"):
            message.attempts[receipt.attempt] = receipt.status == "sent"

    def broken(self) -> str | None:
        """Which guardrail is, in words; None: none is."""
        rails, messages = self.rollout.guardrails, self.messages.values()
        sent = [message for message in messages if message.sent]
        people = {message.user for message in sent}
        attempts = [went for message in messages for went in message.attempts.values()]
        asked = (
            ("messages failed", attempts.count(False), len(attempts), rails.failed),
            ("texts have a hole", sum(message.hole for message in messages), len(messages), rails.failed),
            ("people have unsubscribed", len(people & self.gone), len(people), rails.unsubscribed),
            ("messages should not have gone", sum(message.regretted for message in sent), len(sent), rails.regret),
        )
        for what, number, of, most in asked:
            if of >= ENOUGH and number / of > most:
                return f"{number:,} of {of:,} {what}, more than {most:.3g} of them"
        return None


class Guard:
    """`clock`: epoch ms. `said` hears of each rollout that is ended."""

    def __init__(
        self,
        heard: Heard,
        people: People,
        switch: Switch,
        clock: Callable[[], int],
        said: Callable[[str], object] = lambda _text: None,
    ) -> None:
        self._heard, self._people, self._switch = heard, people, switch
        self._clock, self._said = clock, said
        self._watched: dict[str, Watched] = {}
        self._since = 0
        self._ask_at = 0

    def adopt(self, release: Release) -> None:
        """What is rolled out from now on. Where something is new, it is read anew from this release on."""
        now = self._clock()
        since = max(min(release.effective_at or now, now), now - DAY)
        rolled = {rollout.key: rollout for rollout in rollouts_of(release)}
        if rolled.keys() - self._watched.keys():
            self._heard.restart()
            self._since = since
        self._watched = {key: self._watched.get(key) or Watched(rollout, since) for key, rollout in rolled.items()}
        for key, rollout in rolled.items():
            self._watched[key].rollout = rollout

    def step(self) -> None:
        """Raises what people, switch and topics raise; the next step goes on where this one stopped."""
        switches, now = self._switch.read(), self._clock()
        standing = [one for one in self._watched.values() if switches.at(one.rollout.key, now) == "live"]
        if not standing:
            return
        self._listen(max(self._since, now - DAY))
        for one in standing:
            why = one.broken()
            if why is not None:
                self._switch.turn([one.rollout.key], "ended", "scheduler", why, now)
                self._said(f"the rollout of {one.rollout.key} is ended: {why}. Everyone has the version before")
        self._ask(standing)  # last: whoever knows the people may be away, and what topics say counts all the same

    def _listen(self, since: int) -> None:
        decided, became = self._heard.read(since)
        for record in decided:
            watched = self._watched.get(f"{record.activity}@{record.version}")
            if watched is not None:
                watched.decide(record)
        for receipt in became:
            for watched in self._watched.values():
                if watched.rollout.activity == receipt.activity:
                    watched.become(receipt)

    def _ask(self, standing: Sequence[Watched]) -> None:
        """Who has unsubscribed since; the next step judges it."""
        begun = self._clock()
        if begun < self._ask_at:
            return
        for one in standing:
            if len(one.messages) >= ENOUGH:
                one.gone = self._people.refused_since(one.since)
        ended = self._clock()
        self._ask_at = ended + REST * (ended - begun)
