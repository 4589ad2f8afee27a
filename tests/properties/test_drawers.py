"""What is packed under many names, against a dict: writes, changes in place and looks, written and read between."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.user import drawers
from kairos.engine.user.drawers import Drawers, Packed, pack

NAMES = [*(f"name-{number}" for number in range(12)), "", "é", "\U0001f600"]
names = st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(st.just("set"), names, st.integers(0, 9)),
    st.tuples(st.just("change"), names, st.integers(0, 9)),
    st.tuples(st.sampled_from(["delete", "look", "ask"]), names, st.just(0)),
    st.tuples(st.sampled_from(["write", "restore", "all"]), st.just(""), st.just(0)),
)
_unpack = msgspec.msgpack.Decoder(dict[str, int]).decode
_read = msgspec.msgpack.Decoder(Packed).decode


def restored(packed: Packed) -> Drawers[dict[str, int]]:
    return Drawers(_read(msgspec.msgpack.encode(packed)), _unpack)


@settings(max_examples=150)
@given(st.lists(names, unique=True), st.lists(steps, max_size=40))
def test_drawers_are_a_dict(there: list[str], walk: list[tuple[str, str, int]]) -> None:
    plain: dict[str, dict[str, int]] = {name: {"n": number} for number, name in enumerate(there)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(drawers, "FULL", 2)
        kept = restored(pack(plain))
        for what, name, number in walk:
            if what == "set":
                kept[name] = {"n": number}
                plain[name] = {"n": number}
            elif what == "change" and name in plain:
                kept[name]["n"] = plain[name]["n"] = number
            elif what == "delete" and name in plain:
                del kept[name], plain[name]
            elif what == "write":
                kept.packed()
            elif what == "restore":
                kept = restored(kept.packed())
            elif what == "all":
                assert dict(kept) == plain
            assert (kept.get(name), name in kept, len(kept)) == (plain.get(name), name in plain, len(plain))
        assert dict(restored(kept.packed())) == plain


def test_what_was_only_looked_at_is_written_as_it_was_read() -> None:
    read = _read(msgspec.msgpack.encode(pack({f"name-{number}": {"n": number} for number in range(1_000)})))
    kept = Drawers(read, _unpack)
    assert "other" not in kept
    assert kept["name-7"] == {"n": 7}
    assert kept.packed() is read
    kept["name-7"]["n"] = 8
    assert (kept.packed() is read, restored(kept.packed())["name-7"]) == (False, {"n": 8})


def test_there_are_more_drawers_for_more_names_and_fewer_again() -> None:
    kept: Drawers[dict[str, int]] = restored(pack({}))
    for number in range(1_000):
        kept[f"name-{number}"] = {"n": number}
    many = kept.packed()
    kept = restored(many)
    for number in range(990):
        del kept[f"name-{number}"]
    assert [len(msgspec.msgpack.decode(packed.drawers)) for packed in (many, kept.packed())] == [32, 1]


def test_what_is_not_asked_for_is_not_unpacked() -> None:
    asked: list[Any] = []

    def unpack(value: bytes) -> dict[str, int]:
        asked.append(value)
        return _unpack(value)

    packed = pack({f"name-{number}": {"n": number} for number in range(1_000)})
    written = msgspec.msgpack.encode(packed)
    kept = Drawers(_read(written), unpack)
    assert "name-1" in kept
    assert "other" not in kept
    assert msgspec.msgpack.encode(kept.packed()) == written
    assert not asked
    assert kept["name-7"] == {"n": 7}
    assert len(asked) == 1
