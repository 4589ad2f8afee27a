"""`kairos alarms`: the alarms while it happens. Everybody who is to be told is told once, until it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from kairos.adapters.alarms.kafka import Read
from kairos.adapters.alarms.letters import Letters
from kairos.adapters.alarms.receiver import Receiver
from kairos.adapters.alarms.records import Facts
from kairos.adapters.alarms.said import SaidFile
from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.series import MINUTE
from kairos.engine.alarm.spec import Alarms, Change, Key
from kairos.engine.alarm.watch import Watch
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release, activity_version
from kairos.usecases.alarms.known import known_of

Stocks = Callable[[int], Iterable[Fact]]
"""What is left at this time (epoch ms), as far as somebody can be asked."""

POLL_SECONDS = 0.5
LOOK = MINUTE
"""So often (ms) topics are looked for, and those who forget are told again."""


class Feed(Protocol):
    """`kairos.adapters.alarms.kafka.Reader`."""

    def look(self) -> None: ...
    def take(self, seconds: float) -> list[Read]: ...
    def has_caught_up(self) -> bool: ...


class Desk:
    """Who is told what. `said`: receiver -> the alarms that it knows of."""

    def __init__(self, alarms: Alarms, receivers: Mapping[str, Receiver], memory: SaidFile) -> None:
        """Raises SaidError."""
        self._alarms, self._receivers, self._memory = alarms, receivers, memory
        self._said = {name: {change.key: change for change in said} for name, said in memory.read().items()}

    async def tell(self, firing: Mapping[Key, Change], now: int, again: bool) -> None:
        """Tells every receiver what it does not know yet; what somebody does not take is told the next time. Raises
        SaidError.

        `again`: receivers that forget (Alertmanager) hear all that is firing.
        """
        for name, receiver in self._receivers.items():
            said = self._said.setdefault(name, {})
            mine = {key: change for key, change in firing.items() if name in self._alarms.receivers_of(key.alarm)}
            begun = [change for key, change in mine.items() if key not in said or (again and receiver.repeats)]
            over = [_over(change, now) for key, change in said.items() if key not in mine]
            taken = await receiver.tell([*begun, *over]) if begun or over else []
            for change in taken:
                said.pop(change.key, None)
                if change.firing:
                    said[change.key] = change
            if taken:
                self._memory.write({name: list(known.values()) for name, known in self._said.items()})


def _over(change: Change, now: int) -> Change:
    return Change(
        change.alarm, change.kind, change.label, change.subject, change.channel, False, now, "over", change.runbook,
        change.severity,
    )  # fmt: skip


class Releases:
    """What the newest release says, and which activities it has changed."""

    def __init__(self, watch: Watch, first: RuleSet) -> None:
        self._watch = watch
        self._versions = _versions(first)
        self.pools = frozenset(first.coupons)

    def adopt(self, release: Release) -> None:
        versions = _versions(release.rules)
        changed = [name for name, version in versions.items() if self._versions.get(name, version) != version]
        known = known_of(release.rules)
        self._watch.know(known, release.effective_at)
        self._watch.expect(known.refresh, release.effective_at)
        self._watch.released(changed, release.effective_at)
        self._versions = versions
        self.pools = frozenset(release.rules.coupons)


def _versions(rules: RuleSet) -> dict[str, str]:
    return {name: activity_version(activity) for name, activity in rules.activities.items()}


def recall(watch: Watch, past: Iterable[Fact], letters: Letters | None = None) -> int:
    """Plays the past: nothing of it is said, but what is still firing at its end.

    `letters`: what the past itself does not have; those after its end are left to Kafka. So is the newest minute, which
    may not be whole there. Returns the time (epoch ms) from which on everything is to be heard; 0: there is no past.
    """
    newest: list[Fact] = []
    if letters is not None:
        watch.know_since("letter", letters.since)
        past = _up_to_the_end(past, letters.facts)

    def whole() -> Iterator[Fact]:
        for fact in past:
            if newest and fact.at // MINUTE > newest[0].at // MINUTE:
                yield from newest
                newest.clear()
            newest.append(fact)

    for _ in watch.play(whole()):
        pass
    known = newest[0].at // MINUTE * MINUTE if newest else 0
    if known:
        for _ in watch.advance(known):
            pass
    return known


def _up_to_the_end(past: Iterable[Fact], letters: Sequence[Fact]) -> Iterator[Fact]:
    """Both by time, as far as the past goes."""
    taken = 0
    for fact in past:
        while taken < len(letters) and letters[taken].at <= fact.at:
            yield letters[taken]
            taken += 1
        yield fact


class Following:
    """One process: facts in, words out. `now`: epoch ms. `watermark`: as `Watch.advance` takes it. `lag`: ms after a
    minute until all of it has come. `since`: what was before (epoch ms) is known. `stocks`: asked each minute. Nothing
    is judged before what was there at the start has been read."""

    def __init__(
        self,
        watch: Watch,
        desk: Desk,
        feed: Feed,
        now: Callable[[], int],
        watermark: Callable[[], int | None],
        say: Callable[[Change], object],
        lag: int,
        since: int = 0,
        stocks: Stocks = lambda _now: (),
    ) -> None:
        self._watch, self._desk, self._feed = watch, desk, feed
        self._now, self._watermark, self._say = now, watermark, say
        self._lag, self._since, self._stocks = lag, since, stocks
        self._minute = self._looked = 0
        self._facts = Facts()

    @property
    def judged(self) -> int:
        """The end (epoch ms) of the newest minute that was judged; 0: nothing was yet."""
        return self._minute * MINUTE

    async def round(self) -> None:
        """Takes what has come, and looks at the time. Raises SaidError."""
        now = self._now()
        if now - self._looked >= LOOK:
            self._feed.look()
        for read in self._feed.take(POLL_SECONDS):
            for fact in self._facts.of(read.topic, read.value):
                if fact.at >= self._since:
                    self._watch.hear(fact)
        over = now - self._lag
        if not self._feed.has_caught_up():
            return
        if over // MINUTE > self._minute:
            self._minute = over // MINUTE
            for fact in self._stocks(now):  # not sooner: what the backlog has used is not left any more
                self._watch.hear(fact)
            for change in self._watch.advance(over, self._watermark()):
                self._say(change)
        again = now - self._looked >= LOOK
        await self._desk.tell(self._watch.firing, now, again)
        if again:
            self._looked = now
