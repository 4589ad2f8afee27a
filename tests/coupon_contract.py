"""What every store of codes does, compared with the slow twin, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from kairos.adapters.coupons.port import CouponStore
from kairos.engine.coupon.pools import Claim, Pools, Return
from tests.properties.twins.coupons import Twin

POOLS = ("p", "q")
PER_USER = {"p": 0, "q": 2}
CODES = tuple("ABCDE")

_keys = st.sampled_from([("k1", "u1"), ("k2", "u1"), ("k3", "u1"), ("k4", "u2"), ("k5", "u2")])
_holders = st.sampled_from(["first", "again"])
WORDS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from(POOLS), _keys, _holders),
        st.tuples(st.just("back"), st.sampled_from(POOLS), _keys, _holders),
    ),
    max_size=25,
)


def play(store: CouponStore | Pools | Twin, words: Sequence[Any], name: str = "") -> list[str | None]:
    """The answers to `words`. `name` makes the pools those of this run."""
    answers: list[str | None] = []
    for kind, pool, (key, user), holder in words:
        if kind == "take":
            answers.append(store.take(Claim("code", name + pool, key, holder, user, PER_USER[pool])))
        else:
            store.give_back(Return(name + pool, key, holder, user))
    return answers


def agrees(store: CouponStore, words: Sequence[Any], name: str = "") -> None:
    twin = Twin()
    for pool in POOLS:
        assert store.fill(name + pool, CODES[:3]) == twin.fill(name + pool, CODES[:3])
        assert store.fill(name + pool, CODES) == twin.fill(name + pool, CODES) == 2
    assert play(store, words, name) == play(twin, words, name)
    for pool in POOLS:
        contents = store.contents(name + pool)
        assert (contents.known, contents.free) == (len(CODES), twin.free(name + pool))
        held = {(code, key) for code in CODES for key, _ in twin.holding(name + pool, code)}
        assert set(contents.held) == held
        assert store.counts(name + pool) == (len(CODES), len(contents.free), len(held))
