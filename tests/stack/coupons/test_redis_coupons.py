"""Codes in a real Redis: as the slow twin has it, and with two jobs killed at each call and begun again."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.job import PATIENCE_SECONDS
from kairos.adapters.coupons.opening import Waiting
from kairos.adapters.coupons.redis import RedisCoupons
from kairos.apps.stack import Stack
from kairos.engine.coupon.pools import Claim, Coupons, Return
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery
from kairos.engine.gate.budget import Request
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import activity_version
from kairos.engine.topics import DECISIONS
from kairos.usecases.results.audit.world import Kept
from operators.dispatch import Dispatch
from tests.coupon_contract import POOLS, agrees
from tests.engine_kit import rules
from tests.unit.audit.story import Story, found
from tests.unit.job.dispatch_kit import Flink

pytestmark = pytest.mark.stack

T = 1_793_620_800_000
CODES = ("A", "B", "C", "D")
PER_USER = 2
GIFT = """
activity: %s
trigger: {event: ask}
limits: {caps: []}
data: {code: 'coupon("%s")'}
send: [{channel: sms, template: t}]
"""


@pytest.fixture
def pool() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def store(stack: Stack) -> Iterator[RedisCoupons]:
    store = RedisCoupons(stack.settings.redis_url)
    yield store
    store.close()


@pytest.mark.parametrize("seed", range(15))
def test_as_the_twin_has_it(store: RedisCoupons, pool: str, seed: int) -> None:
    chance = random.Random(seed)
    keys = [("k1", "u1"), ("k2", "u1"), ("k3", "u1"), ("k4", "u2"), ("k5", "u2")]
    words = [
        (chance.choice(["take", "take", "back"]), chance.choice(POOLS), chance.choice(keys), chance.choice("ab"))
        for _ in range(30)
    ]
    agrees(store, words, pool)


# ------------------------------------------------------------------------------------- two jobs, killed and restored
class Mortal:
    """The store, whose process dies at one call: before it, or when it has been done and nobody has heard of it."""

    def __init__(self, store: RedisCoupons, at: int, after: bool) -> None:
        self._store, self._left, self._after = store, at, after

    def take(self, claim: Claim) -> str | None:
        return self._call(lambda: self._store.take(claim))

    def give_back(self, back: Return) -> None:
        self._call(lambda: self._store.give_back(back))

    def _call(self, call: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = call()
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def close(self) -> None:
        self._store.close()


def requests(job: str, pool: str) -> list[Request]:
    """Five messages of three users; the second and the fourth fail, and give back what they hold."""
    found: list[Request] = []
    for n, user in enumerate(("u1", "u2", f"{job}3", "u1", f"{job}3"), 1):
        at, occurrence = T + n * 10, f"o{n}"
        claim = Claim("code", pool, f"{job}/{occurrence}/{user}", job, user, PER_USER)
        nothing: dict[str, Any] = {"code": None}
        what = (job, version(job, pool), None, "t", user, at, "send", None, "sms", occurrence)
        record = Record(*what, {}, nothing)
        delivery = Delivery(job, record.version, user, occurrence, 1, "sms", "t", "1", at, at, at + 1_000, nothing)
        found.append(Request(at, user, occurrence, Candidate(record, delivery, 50, None, "", [claim])))
        if n in (2, 4):
            found.append(Request(at + 5, user, occurrence, None, [Return(pool, claim.key, job, user)]))
    return found


def rule_set(pool: str) -> RuleSet:
    limits = f"{pool}: {{codes: redis, per_user: {PER_USER}}}"
    return rules(GIFT % ("one", pool), GIFT % ("two", pool), coupons=limits)


def version(job: str, pool: str) -> str:
    return activity_version(rule_set(pool).activities[job])


def run_job(url: str, job: str, pool: str, out: Path, at: int, after: bool) -> None:
    """The operator from its beginning, as after a restore from the first checkpoint; decisions go to `out`."""
    store: Coupons = Waiting(Mortal(RedisCoupons(url), at, after), lambda _what: None)  # type: ignore[arg-type]
    flink: Any = Flink()
    operator = Dispatch(1_000, "", lambda _count: store)  # type: ignore[arg-type,return-value]
    operator.open(flink)
    with out.open("ab", buffering=0) as log:
        for request in requests(job, pool):
            row: Any = (msgspec.msgpack.encode(request), request.at)
            operator.process_element(row, flink)
            flink.watermark = request.at
            for topic, _, value, _ in operator.on_timer(request.at, flink):
                if topic == DECISIONS:
                    log.write(value + b"\n")


def live(url: str, pool: str, folder: Path, at: int, after: bool) -> list[int]:
    """Both jobs at once; how they ended."""
    context = multiprocessing.get_context("fork")
    jobs = [
        context.Process(target=run_job, args=(url, job, pool, folder / f"{job}.jsonl", at, after))
        for job in ("one", "two")
    ]
    for each in jobs:
        each.start()
    for each in jobs:
        each.join(PATIENCE_SECONDS)
    return [each.exitcode or 0 for each in jobs]


TAKES = 5
"""Calls of every job; what was refused gives nothing back, so there may be more of them, up to seven."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, TAKES + 3))
def test_killed_at_any_call_and_begun_again_no_code_goes_twice_and_none_is_lost(
    stack: Stack, store: RedisCoupons, pool: str, tmp_path: Path, at: int, after: bool
) -> None:
    url = stack.settings.redis_url
    store.fill(pool, CODES)
    ended = live(url, pool, tmp_path, at, after)
    assert ended == [-signal.SIGKILL] * 2 or (at > TAKES and set(ended) <= {0, -signal.SIGKILL})
    assert live(url, pool, tmp_path, NEVER, after) == [0, 0]
    contents = store.contents(pool)
    assert sorted([*contents.free, *(code for code, _ in contents.held)]) == list(CODES)
    story = told(tmp_path, rule_set(pool))
    story.pools = {pool: Kept(contents.known, len(contents.free), contents.held)}
    assert found(story.audit(tmp_path / "audit")) == {}
    assert len(contents.held) >= 2


NEVER = 1_000


def told(folder: Path, rules_of_pool: RuleSet) -> Story:
    """What both jobs decided, also twice. Messages 2 and 4 failed, the others went."""
    story, seen = Story(rules_of_pool), set[tuple[str, str]]()
    for job in ("one", "two"):
        for line in (folder / f"{job}.jsonl").read_bytes().splitlines():
            decision = msgspec.json.decode(line)
            story.decisions.append(decision)
            key = (job, decision["occurrence"])
            if decision["outcome"] == "send" and key not in seen:
                failed = decision["occurrence"] in ("o2", "o4")
                story.row("failed", "rejected") if failed else story.row("sent", "accepted")
            seen.add(key)
    return story
