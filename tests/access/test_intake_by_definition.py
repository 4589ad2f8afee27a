"""Whose an event is, against a slow twin: batches cut anywhere, Kafka and Redis failing, senders that repeat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.adapters.kafka.producer import NotTakenError, Record, Refused
from kairos.adapters.metrics.declared import ACCESS
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.profiles.identity import Claims, IdentityAwayError
from kairos.usecases.intake.batch import Item
from kairos.usecases.intake.intake import Intake, UnavailableError
from kairos.usecases.intake.rate import Bucket
from kairos.usecases.intake.registry import Door
from tests.access.gateway.gateway_kit import APP, NOW, MemoryProducer
from tests.access.memory_identity import MemoryIdentity


class Step(NamedTuple):
    """`user` None: of nobody. `binds`: an identify."""

    device: str | None
    phone: str | None
    user: str | None
    binds: bool

    def claims(self) -> list[tuple[str, str]]:
        return [(k, v) for k, v in (("device_id", self.device), ("phone", self.phone)) if v is not None]

    def item(self, number: int) -> Item:
        fields = {"id": f"e{number}", "type": "identify" if self.binds else "view", "time": NOW, "user_id": self.user}
        return Item(json.dumps({**fields, "props": dict(self.claims())}).encode())


def twin(steps: Sequence[Step]) -> tuple[dict[str, tuple[str, bool]], set[str]]:
    """({id: (user, merged)}, ids of what waits) by what docs/sources.md says, one event after the other."""
    bound: dict[tuple[str, str], str] = {}
    sent: dict[str, tuple[str, bool]] = {}
    waiting: dict[str, tuple[str, str]] = {}
    for number, step in enumerate(steps):
        id_, claims = f"e{number}", step.claims()
        users = [step.user] if step.user else [bound[claim] for claim in claims if claim in bound]
        if step.binds and step.user:
            bound.update(dict.fromkeys(claims, step.user))
            for other in [other for other, claim in waiting.items() if claim in claims]:
                del waiting[other]
                sent[other] = (step.user, True)
        elif users:
            sent[id_] = (users[0], False)
        else:
            waiting[id_] = claims[0]
    return sent, set(waiting)


class Trouble:
    """Which calls to the outside fail, counted over all of them."""

    def __init__(self, failing: set[int]) -> None:
        self.failing = failing
        self.calls = 0

    def strikes(self) -> bool:
        self.calls += 1
        return self.calls in self.failing


class Producer(MemoryProducer):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble

    async def publish(self, records: Sequence[Record]) -> Refused:
        if records and self.trouble.strikes():
            raise NotTakenError("not now")
        return await super().publish(records)


class Identities(MemoryIdentity):
    """A failing call may have been carried out all the same: its answer is what got lost."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble

    async def waiting(self, claims: Claims, user_id: str) -> AsyncIterator[list[bytes]]:
        async for piece in super().waiting(claims, user_id):
            yield piece
        if self.trouble.strikes():
            raise IdentityAwayError("not now")

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("users", "wait", "bind", "merging", "merged"):
            return found

        async def call(*arguments: Any) -> Any:
            answer = await found(*arguments)
            if self.trouble.strikes():
                raise IdentityAwayError("not now")
            return answer

        return call


def play(steps: Sequence[Step], sizes: Sequence[int], redis: Trouble, kafka: Trouble) -> tuple[list[Any], set[str]]:
    """([(id, user, merged)] as published, ids of what waits)."""
    producer, identity = Producer(kafka), Identities(redis)
    intake = Intake(producer, identity, Metrics(ACCESS), lambda: NOW)
    door = Door(APP, Bucket(NOW))
    items = [step.item(number) for number, step in enumerate(steps)]

    async def run() -> None:
        rest, turn = items, 0
        while rest:
            size = sizes[turn % len(sizes)]
            batch, rest, turn = rest[:size], rest[size:], turn + 1
            while True:
                try:
                    await intake.take(door, batch)
                    break
                except UnavailableError:
                    continue

    asyncio.run(run())
    events = producer.events("events.app")
    waiting = {json.loads(draft)["id"] for drafts in identity.kept.values() for draft in drafts}
    assert not producer.letters
    assert not any(identity.merging_of.values())
    return [(event["id"], event["user_id"], event.get("merged", False)) for event in events], waiting


DEVICES, PHONES, USERS = st.sampled_from(["d1", "d2"]), st.sampled_from(["p1"]), st.sampled_from(["ann", "bob"])
CLAIMED = st.tuples(DEVICES, st.none() | PHONES) | st.tuples(st.none(), PHONES)
STEPS = st.lists(
    st.builds(lambda claims: Step(*claims, None, False), CLAIMED)
    | st.builds(lambda claims, user: Step(*claims, user, True), CLAIMED, USERS)
    | st.builds(lambda claims, user: Step(*claims, user, False), CLAIMED, USERS),
    max_size=12,
)
SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=4)
FAILING = st.sets(st.integers(1, 30), max_size=8)


@settings(max_examples=500)
@given(STEPS, SIZES, FAILING)
def test_whatever_the_batches_and_with_kafka_failing_each_is_told_once_as_the_twin_says(
    steps: list[Step], sizes: list[int], failing: set[int]
) -> None:
    published, waiting = play(steps, sizes, Trouble(set()), Trouble(failing))
    expected, still = twin(steps)
    assert sorted(published) == sorted((id_, user, merged) for id_, (user, merged) in expected.items())
    assert waiting == still


@settings(max_examples=500)
@given(STEPS, SIZES, FAILING, FAILING)
def test_with_redis_failing_too_nothing_is_lost(
    steps: list[Step], sizes: list[int], redis: set[int], kafka: set[int]
) -> None:
    published, waiting = play(steps, sizes, Trouble(redis), Trouble(kafka))
    expected, still = twin(steps)
    assert {id_ for id_, _, _ in published} | waiting == expected.keys() | still
    assert expected.keys() <= {id_ for id_, _, _ in published}
