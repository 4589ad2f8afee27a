"""Dead letters of the doors, gateway and bridges: normalised once more, as their source is defined now."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from types import TracebackType

from kairos.adapters.kafka.producer import KafkaEventProducer
from kairos.adapters.metrics.declared import ACCESS
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.output.dead_letters import Found, NotReplayableError, original
from kairos.adapters.profiles.identity import RedisIdentity
from kairos.adapters.settings.gateway import Conf, access_of
from kairos.adapters.sources.port import open_source_store
from kairos.engine.dead_letter import DeadLetter
from kairos.usecases.intake.batch import Item
from kairos.usecases.intake.intake import Intake
from kairos.usecases.intake.rate import Bucket
from kairos.usecases.intake.registry import Door


def source_of(found: Found) -> str | None:
    """The source of a door's letter; None for one whose record lies in a topic."""
    _, slash, place = found.letter.origin.rpartition("/")
    at_a_door = found.channel is None and slash and not re.fullmatch(r"\d+@\d+", place)
    return place if at_a_door else None


def item_of(letter: DeadLetter) -> Item:
    """As it came to the door. Raises NotReplayableError."""
    raw = original(letter)
    if letter.read == "nothing":
        raise NotReplayableError("nothing could be made of it, so only its sender can send it right")
    if letter.read == "value":
        return Item(raw, beside=letter.fields)
    return Item(raw, letter.fields, mapped=letter.read == "mapped")


class Doors:
    """Opens what the gateway has open, at the first letter of a door. `clock`: epoch ms.

    Raises SettingsError and SourceStoreError.
    """

    def __init__(self, conf: Callable[[], Conf], place: str, clock: Callable[[], int]) -> None:
        self._conf = conf
        self._place = place
        self._clock = clock
        self._loop = asyncio.Runner()
        self._opened: _Opened | None = None

    def __enter__(self) -> Doors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._loop.run(self._opened.close())
        self._loop.close()

    def send(self, source: str, letter: DeadLetter) -> None:
        """Its event is in Kafka then, or waits for somebody to say whose it is.

        Raises NotReplayableError, UnavailableError.
        """
        item = item_of(letter)
        if self._opened is None:
            self._opened = _Opened(self._conf(), self._place, self._clock)
        (outcome,) = self._loop.run(self._opened.intake.take(self._opened.door(source), [item], again=True))
        if outcome.status == "refused":
            raise NotReplayableError(f"it is refused once more: {outcome.message}")


class _Opened:
    def __init__(self, conf: Conf, place: str, clock: Callable[[], int]) -> None:
        snapshot = open_source_store(conf.sources, access_of(conf.gateway, place)).read()
        self._entries, self._problems = snapshot.entries, snapshot.problems
        self._bucket = Bucket(clock())
        self._producer = KafkaEventProducer(conf.kafka)
        self._identity = None if conf.profiles.redis is None else RedisIdentity(conf.profiles.redis)
        self.intake = Intake(
            self._producer, self._identity, Metrics(ACCESS), clock, name="replay", prefix=conf.kafka.prefix
        )

    def door(self, source: str) -> Door:
        """Raises NotReplayableError."""
        entry = self._entries.get(source)
        if entry is None:
            known = ", ".join(self._entries) or "none"
            raise NotReplayableError("; ".join([f"there is no source '{source}'; there are {known}", *self._problems]))
        if not entry.source.enabled:
            raise NotReplayableError(f"source '{source}' is switched off")
        return Door(entry, self._bucket)

    async def close(self) -> None:
        if self._identity is not None:
            await self._identity.close()
        await asyncio.to_thread(self._producer.close)
