"""What real workers leave in the ledger is clean, whatever providers answer, and however often the workers die."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from kairos.adapters.channels.channel import Accepted, DeadAddress, Message, Outcome, Rejected, Retry, Unknown
from kairos.engine.effect import Delivery, Recall
from tests.delivery.kit import BASE, HOUR, MINUTE, ListMailbox, Script, World, delivery, parcels, recall_of
from tests.delivery.virtual_loop import run
from tests.engine_kit import rules
from tests.unit.audit.story import Story, found

RULES = rules("activity: nudge\ntrigger: {event: a}\nlimits: {caps: []}\nsend: [{channel: sms, template: t}]\n")
USERS = 8
LIVES = 4


class Moody(Script):
    """Answers at random, after a while; what it was told while its caller died it has taken all the same."""

    def __init__(self, chance: Random) -> None:
        super().__init__(self._any)
        self._chance = chance

    def _any(self, message: Message, number: int) -> Outcome:
        outcomes: Sequence[Outcome] = (Accepted(), Retry("busy"), Rejected("no"), DeadAddress("gone"), Unknown("time"))
        return self._chance.choices(outcomes, (4, 3, 1, 1, 3))[0]

    async def send(self, message: Message) -> Outcome:
        self._takes = self._chance.choice((5, 300, 9_000))
        return await super().send(message)


async def _live(world: World, chance: Random) -> list[Delivery]:
    """Several workers after one another, each dying in the middle of things; the last one comes to the end."""
    notes = [delivery(f"u{n}", send_before=chance.choice((0, MINUTE, HOUR))) for n in range(USERS)]
    records: list[Delivery | Recall | bytes] = [*notes, *chance.sample(notes, 2)]
    records += [recall_of(note, chance.randrange(MINUTE)) for note in chance.sample(notes, 2)]
    mailbox = ListMailbox([(0, parcels(chance.sample(records, len(records))))])
    for life in range(LIVES):
        worker = world.worker(mailbox, f"w{life}")
        running = asyncio.create_task(worker.run())
        if life == LIVES - 1:
            await running
            break
        await asyncio.sleep(chance.choice((0.004, 0.006, 0.2, 5, 60)))
        running.cancel()
        await worker.abandon()
        mailbox = ListMailbox([(0, list(mailbox.left))])
    assert mailbox.left == []
    return notes


def history(seed: int, *, resend: bool) -> Story:
    chance = Random(seed)
    world = World(Moody(chance), resend=resend)
    notes = run(_live(world, chance))
    story = Story(RULES, resends=("sms",) if resend else ())
    for note in notes:
        story.decide("nudge", note.at, note.occurrence, user=note.user_id, channel="sms")
    story.rows = [msgspec.structs.asdict(row) for row in world.ledger.rows.values()]
    story.calls = [msgspec.structs.asdict(call) for call in world.ledger.calls.values()]
    return story


@pytest.mark.parametrize("resend", [False, True], ids=["leave", "resend"])
@pytest.mark.parametrize("seed", range(12))
def test_workers_that_die_leave_a_clean_ledger(seed: int, resend: bool, tmp_path: Path) -> None:
    assert found(history(seed, resend=resend).audit(tmp_path)) == {}


def test_these_histories_have_all_that_can_happen() -> None:
    stories = [history(seed, resend=resend) for seed in range(12) for resend in (False, True)]
    states = {row["state"] for story in stories for row in story.rows}
    assert states == {"sent", "unknown", "failed", "expired", "recalled"}
    assert {call["outcome"] for story in stories for call in story.calls} >= {"accepted", "retry", "unknown", None}
    assert all(row["reserved_at"] >= BASE for story in stories for row in story.rows)


def test_a_resend_is_a_violation_where_none_is_declared(tmp_path: Path) -> None:
    """The same histories, judged as those of a channel that leaves what may have gone."""
    judged = []
    for seed in range(12):
        story = history(seed, resend=True)
        story.resends = ()
        judged += found(story.audit(tmp_path / str(seed))).get("sent_once", [])
    assert any("although nobody knew what had become of call" in problem for problem in judged)
