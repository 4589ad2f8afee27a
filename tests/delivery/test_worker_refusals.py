"""Whose fault a refusal is: of one address, or of the channel; and what a second answer may change."""

from __future__ import annotations

import asyncio

import pytest

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Outcome,
    Refused,
    Rejected,
    Retry,
    Unknown,
)
from tests.delivery.kit import Script, World, delivery
from tests.delivery.virtual_loop import run


def test_one_user_s_server_that_refuses_holds_up_nobody_else() -> None:
    """It is tried as often as any, and then it has failed; the others go, and the channel is not paused."""
    world = World(Script(lambda message, _: Refused("404") if message.user_id == "u1" else Accepted()), attempts=3)
    run(world.deliver(*(delivery(f"u{n}", not_before=n) for n in range(4))))
    assert world.states() == {"u0": "sent", "u1": "failed", "u2": "sent", "u3": "sent"}
    assert world.pauses == []
    (letter,) = world.letters()
    assert letter["reason"] == "rejected"


def test_several_addresses_that_refuse_are_the_channel_s_fault_and_nothing_is_lost() -> None:
    mended = False
    world = World(Script(lambda _message, _: Accepted() if mended else Refused("401")), attempts=3)

    async def scenario() -> None:
        nonlocal mended
        done = asyncio.create_task(world.deliver(*(delivery(f"u{n}") for n in range(3))))
        await asyncio.sleep(600)
        assert world.pauses == ["3 addresses refuse, and none takes a message: 401"]
        mended = True
        world.last.gate.set(None, paused=False)
        await done

    run(scenario())
    assert set(world.states().values()) == {"sent"}


def test_one_address_that_refuses_again_and_again_is_still_one() -> None:
    world = World(Script(lambda _message, _: Refused("403")), attempts=5)
    run(world.deliver(*(delivery("u1", occurrence=f"o{n}") for n in range(5))))
    assert world.pauses == []
    assert set(world.states().values()) == {"failed"}


@pytest.mark.parametrize(
    "answer", [Rejected("409"), DeadAddress("410"), Refused("403"), Retry("503")], ids=lambda each: each.reason
)
def test_after_a_call_without_an_answer_no_answer_makes_it_failed(answer: Outcome) -> None:
    """Whoever took the first call may refuse the second because of that."""
    world = World(Script([Unknown("no answer in time"), *[answer] * 9]), resend=True, attempts=3)
    run(world.deliver(delivery()))
    assert world.states() == {"u1": "unknown"}
    assert [status for _, status, _ in world.receipts()] == ["unknown"]
    assert world.letters() == []
    assert world.lists.kept == set()


def test_who_opts_out_in_the_second_answer_has_opted_out() -> None:
    world = World(Script([Unknown("?"), DeadAddress("21610", opted_out=True)]), resend=True)
    run(world.deliver(delivery()))
    assert world.states() == {"u1": "unknown"}
    assert world.lists.kept == {("opted_out", "u1", "sms")}
