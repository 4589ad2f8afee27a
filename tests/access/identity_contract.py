"""What every keeper of identities does: run on Redis in `tests/stack`, on the one in memory beside it here."""

from __future__ import annotations

import uuid

from kairos.adapters.profiles.identity import MAX_WAITING, PIECE_BYTES, WAITING_BYTES, Identity, Waited
from kairos.engine.source.normalise import Claim

KEPT = Waited(None, [])


def new(kind: str = "device_id") -> Claim:
    return Claim(kind, uuid.uuid4().hex)


async def waiting(identity: Identity, claims: list[Claim], user_id: str) -> list[bytes]:
    return [draft async for piece in identity.waiting(claims, user_id) for draft in piece]


def user() -> str:
    return f"u-{uuid.uuid4().hex}"


async def check_nobody_knows_a_stranger(identity: Identity) -> None:
    assert await identity.users([new(), new("phone")]) == {}
    assert await identity.users([]) == {}


async def check_what_is_bound_is_known(identity: Identity) -> None:
    device, phone, ann = new(), new("phone"), user()
    await identity.bind([device, phone], ann)
    assert await identity.merging(ann) == []
    assert await identity.users([device, new(), phone]) == {device: ann, phone: ann}


async def check_the_last_binding_counts(identity: Identity) -> None:
    device, phone, ann, bob = new(), new("phone"), user(), user()
    await identity.bind([device], ann)
    await identity.bind([phone], bob)
    assert await identity.users({device, phone}) == {device: ann, phone: bob}
    assert await identity.wait([([device, phone], b"x"), ([phone, device], b"y")]) == [Waited(ann, []), Waited(bob, [])]
    await identity.bind([device], bob)
    assert await identity.users([device]) == {device: bob}


async def check_drafts_wait_in_order_until_they_are_merged(identity: Identity) -> None:
    device, phone, ann = new(), new("phone"), user()
    assert await identity.wait([([device, phone], b"0"), ([device], b"1")]) == [KEPT, KEPT]
    assert await identity.wait([([device], b"2")]) == [KEPT]
    for _ in range(2):
        assert await waiting(identity, [device, phone], ann) == [b"0", b"1", b"2"]
    await identity.bind([device], ann)
    assert await identity.merging(ann) == [b"0", b"1", b"2"]
    # a crash here: whoever tells it again gets what is not known to be published
    await identity.merged(ann, [b"0", b"1"])
    await identity.merged(ann, [b"0", b"1"])
    assert await waiting(identity, [device], ann) == [b"2"]
    await identity.bind([device], ann)
    assert await identity.merging(ann) == [b"2"]
    await identity.merged(ann, [b"2"])
    assert await identity.merging(ann) == []


async def check_what_waits_twice_is_merged_at_once(identity: Identity) -> None:
    device, ann = new(), user()
    for _ in range(2):  # its sender did not hear the first answer
        await identity.wait([([device], b"0")])
    await identity.bind([device], ann)
    assert await identity.merging(ann) == [b"0", b"0"]
    await identity.merged(ann, [b"0"])
    assert await waiting(identity, [device], ann) == []


async def check_nothing_waits_for_what_is_bound(identity: Identity) -> None:
    device, phone, ann = new(), new("phone"), user()
    await identity.bind([phone], ann)
    assert await identity.wait([([device, phone], b"late"), ([new()], b"other")]) == [Waited(ann, []), KEPT]
    assert await identity.wait([]) == []
    await identity.bind([device], ann)
    assert await identity.merging(ann) == []


async def check_the_newest_thousand_wait(identity: Identity) -> None:
    device, ann = new(), user()
    dropped = []
    for start in range(0, MAX_WAITING + 100, 100):
        found = await identity.wait([([device], b"%d" % n) for n in range(start, start + 100)])
        dropped += [draft for _, drafts in found for draft in drafts]
    assert dropped == [b"%d" % n for n in range(100)]
    await identity.bind([device], ann)
    assert await identity.merging(ann) == [b"%d" % n for n in range(100, MAX_WAITING + 100)]


async def check_so_many_bytes_wait_and_are_read_in_pieces(identity: Identity) -> None:
    device, other, ann, size = new(), new(), user(), 900_000
    most = WAITING_BYTES // size
    drafts = [b"%02d" % n + b"x" * (size - 2) for n in range(most + 2)]
    found = [await identity.wait([([device], draft)]) for draft in drafts]
    assert [one.dropped for (one,) in found] == [[]] * most + [drafts[:1], drafts[1:2]]
    await identity.wait([([other], b"small")])
    kept, pieces = drafts[2:], [piece async for piece in identity.waiting([device, other], ann)]
    assert [draft for piece in pieces for draft in piece] == [*kept, b"small"]
    assert max(sum(map(len, piece)) for piece in pieces) < PIECE_BYTES + size
    await identity.bind([device], ann)
    read = []
    while piece := await identity.merging(ann):
        assert sum(map(len, piece)) < PIECE_BYTES + size
        read += piece
        await identity.merged(ann, piece)
    assert read == kept
    assert await identity.wait([([new()], drafts[0])]) == [KEPT]


async def check_names_that_look_like_keys(identity: Identity) -> None:
    ann, bob = user(), user()
    await identity.bind([Claim("a", f"b:{ann}")], ann)
    await identity.bind([Claim("a", f"é {ann}\n")], bob)
    strange = [Claim("a", f"b:{ann}"), Claim("a", f"é {ann}\n")]
    assert await identity.users(strange) == dict(zip(strange, [ann, bob], strict=True))


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
