"""What every memory of signed requests does: run on Redis in `tests/stack`, in memory here."""

from __future__ import annotations

import uuid

from kairos.adapters.sources.seen import Seen


async def check_once(one: Seen, other: Seen) -> None:
    """`other`: another process that shares what is remembered."""
    token = f"shop:é {uuid.uuid4().hex}:5"
    assert await one.claim(token, 600_000)
    assert not await one.claim(token, 600_000)
    assert not await other.claim(token, 600_000)
    assert await other.claim(token + "6", 600_000)


async def check_what_came_to_nothing_may_come_again(one: Seen, other: Seen) -> None:
    token = uuid.uuid4().hex
    await one.release(token)
    assert await one.claim(token, 600_000)
    await other.release(token)
    assert await one.claim(token, 600_000)
    assert not await other.claim(token, 600_000)


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
