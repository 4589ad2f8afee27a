"""What every keeper of identities does: run on Redis in `tests/stack`, on the one in memory beside it here."""

from __future__ import annotations

import uuid

from kairos.adapters.identity import MAX_WAITING, Identity
from kairos.engine.normalise import Claim


def new(kind: str = "device_id") -> Claim:
    return Claim(kind, uuid.uuid4().hex)


def user() -> str:
    return f"u-{uuid.uuid4().hex}"


async def check_nobody_knows_a_stranger(identity: Identity) -> None:
    assert await identity.users([new(), new("phone")]) == {}
    assert await identity.users([]) == {}


async def check_what_is_bound_is_known(identity: Identity) -> None:
    device, phone, ann = new(), new("phone"), user()
    assert await identity.bind([device, phone], ann) == []
    assert await identity.users([device, new(), phone]) == {device: ann, phone: ann}


async def check_the_last_binding_counts(identity: Identity) -> None:
    device, phone, ann, bob = new(), new("phone"), user(), user()
    await identity.bind([device], ann)
    await identity.bind([phone], bob)
    assert await identity.users({device, phone}) == {device: ann, phone: bob}
    assert await identity.wait([([device, phone], b"x"), ([phone, device], b"y")]) == [ann, bob]
    await identity.bind([device], bob)
    assert await identity.users([device]) == {device: bob}


async def check_drafts_wait_in_order_until_they_are_merged(identity: Identity) -> None:
    device, phone, ann = new(), new("phone"), user()
    assert await identity.wait([([device, phone], b"0"), ([device], b"1")]) == [None, None]
    assert await identity.wait([([device], b"2")]) == [None]
    for _ in range(2):
        assert await identity.waiting([device, phone], ann) == [b"0", b"1", b"2"]
    waited = await identity.bind([device], ann)
    assert waited == [b"0", b"1", b"2"]
    # a crash here: whoever tells it again gets what is not known to be published
    await identity.merged(ann, waited[:2])
    await identity.merged(ann, waited[:2])
    assert await identity.waiting([device], ann) == [b"2"]
    assert await identity.bind([device], ann) == [b"2"]
    await identity.merged(ann, [b"2"])
    assert await identity.bind([device], ann) == []


async def check_what_waits_twice_is_merged_at_once(identity: Identity) -> None:
    device, ann = new(), user()
    for _ in range(2):  # its sender did not hear the first answer
        await identity.wait([([device], b"0")])
    assert await identity.bind([device], ann) == [b"0", b"0"]
    await identity.merged(ann, [b"0"])
    assert await identity.waiting([device], ann) == []


async def check_nothing_waits_for_what_is_bound(identity: Identity) -> None:
    device, phone, ann = new(), new("phone"), user()
    await identity.bind([phone], ann)
    assert await identity.wait([([device, phone], b"late"), ([new()], b"other")]) == [ann, None]
    assert await identity.wait([]) == []
    assert await identity.bind([device], ann) == []


async def check_the_newest_thousand_wait(identity: Identity) -> None:
    device, ann = new(), user()
    for start in range(0, MAX_WAITING + 100, 100):
        await identity.wait([([device], b"%d" % n) for n in range(start, start + 100)])
    assert await identity.bind([device], ann) == [b"%d" % n for n in range(100, MAX_WAITING + 100)]


async def check_names_that_look_like_keys(identity: Identity) -> None:
    ann, bob = user(), user()
    await identity.bind([Claim("a", f"b:{ann}")], ann)
    await identity.bind([Claim("a", f"é {ann}\n")], bob)
    strange = [Claim("a", f"b:{ann}"), Claim("a", f"é {ann}\n")]
    assert await identity.users(strange) == dict(zip(strange, [ann, bob], strict=True))


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
