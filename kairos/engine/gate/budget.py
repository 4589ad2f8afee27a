"""Gate 10, always last: budgets and coupons, spent over all users. One `Budget` an activity, kept over versions.

The engine gets them as a port (`Budgets`). A live job spends them elsewhere (operators/dispatch.py), keyed by activity:
there the candidate leaves the engine, and a refusal comes back as a receipt. A run that sees all users spends them at
once (`Purse`). Either way a unit is spent, refused and given back by the functions here.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import msgspec

from kairos.engine.coupon.pools import Coupons, Pools, Return, take_all
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery, Effect, Refund
from kairos.engine.rule.journey import journey_of, slot_of

REFUSAL_KNOWN_AFTER = 10_000
"""How long (ms of event time) after a refused send what it had reserved is free again, where the refusal has to travel
from dispatch back to evaluate. A fixed time, so that decisions do not depend on how fast it travels."""


MONEY = 1_000_000
"""Into so many parts a unit of money is divided, so that many small sums add up exactly."""
_SHARED = "budget/"


class Written(Protocol):
    """`address_key` -> the user to whom something went there in that run."""

    def setdefault(self, key: str, user_id: str, /) -> str:
        """Whose it is: this user's from now on, where it was nobody's."""
        ...


class Budget(msgspec.Struct, array_like=True):
    """What was spent over all users: sends of an activity, or the money of a shared budget in `MONEY` parts."""

    spent: int = 0


class Settled(NamedTuple):
    """`delivery` None: there was no unit left, and the record says so; or the send is on trial."""

    record: Record
    delivery: Delivery | None

    @property
    def refused(self) -> bool:
        return self.record.outcome != "send"


class Request(msgspec.Struct):
    """What is asked of a budget: `units` for a candidate, or (None) to take them back.

    `occurrence`: what the send is told by (`slot_of`). `codes`: what goes back with it.
    """

    at: int
    user_id: str
    occurrence: str
    candidate: Candidate | None
    codes: list[Return] = []
    units: int = 1

    @property
    def order(self) -> tuple[int, bool, str, str]:
        """At one instant units are spent first: what receipts give back is free from then on."""
        return (self.at, self.candidate is None, self.user_id, self.occurrence)


def request_of(effect: Candidate | Refund) -> Request:
    if isinstance(effect, Refund):
        return Request(
            effect.at, effect.user_id, slot_of(effect.activity, effect.occurrence), None, effect.codes, effect.units
        )
    record = effect.record
    return Request(record.at, record.user_id, slot_of(record.activity, record.occurrence), effect)


def budget_of(effect: Candidate | Refund) -> str:
    """Whose budget it is about: one that is shared, else the activity's; all messages of a journey spend one, and what
    is on trial one of its own."""
    if isinstance(effect, Candidate) and effect.record.shadow:
        return f"{effect.record.activity}/shadow"
    if effect.shared:
        return _SHARED + effect.shared
    return journey_of(effect.activity if isinstance(effect, Refund) else effect.record.activity)


def competes(candidate: Candidate) -> bool:
    """Whether it has to wait for others: for a budget, a code, an address that is written to once in its run, or, as a
    fallback, for what became of the first attempt. Nearly none has."""
    return bool(candidate.budget is not None or candidate.run or candidate.claims or candidate.delivery.attempt > 1)


def settle(budget: Budget, written: Written, coupons: Coupons, request: Request) -> Settled | None:
    """Spends a unit for a request, refuses it, or takes one back (None). Requests come in their `order`."""
    if request.candidate is not None:
        return spend(budget, written, coupons, request.candidate)
    give_back(budget, request.units, coupons, request.codes)
    return None


def spend(budget: Budget, written: Written, coupons: Coupons, candidate: Candidate) -> Settled:
    """Spend its units, or refuse: `suppress: duplicate_address` or `budget`. A candidate without a budget (a fallback)
    needs none; a code that is not to be had is as a unit that is not there."""
    key = address_key(candidate)
    if key and written.setdefault(key, candidate.record.user_id) != candidate.record.user_id:
        return _refused(candidate, "duplicate_address")
    if candidate.budget is not None and budget.spent + candidate.units > candidate.budget:
        return _refused(candidate, "budget")
    if candidate.claims and not candidate.record.shadow:  # codes are for those who get a message
        codes = take_all(coupons, candidate.claims)
        if codes is None:
            return _refused(candidate, "budget")
        candidate = candidate.with_codes(codes)
    if candidate.budget is not None:
        budget.spent += candidate.units
    return Settled(candidate.record, None if candidate.record.shadow else candidate.delivery)


def address_key(candidate: Candidate) -> str:
    """A digest of run, channel and address; "" where an address may be written to as often as it is shared."""
    delivery = candidate.delivery
    if not candidate.run or not delivery.address:
        return ""
    owner = delivery.activity if not candidate.record.shadow else budget_of(candidate)
    parts = "\0".join((owner, candidate.run, delivery.channel, delivery.address))
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _refused(candidate: Candidate, reason: str) -> Settled:
    record = msgspec.structs.replace(
        candidate.record, outcome="suppress", reason=reason, channel=None, template=None, degraded=msgspec.UNSET
    )
    return Settled(record, None)


def give_back(budget: Budget, units: int, coupons: Coupons, codes: Iterable[Return]) -> None:
    """Gives back the units of a send that reached nobody."""
    budget.spent = max(0, budget.spent - units)
    for code in codes:
        coupons.give_back(code)


class Budgets(Protocol):
    """The port. Both give what leaves the engine."""

    def ask(self, candidate: Candidate) -> tuple[list[Effect], bool]:
        """What the budget makes of a candidate: (what leaves the engine, whether it was refused)."""
        ...

    def take_back(self, refund: Refund) -> list[Effect]: ...


class Elsewhere:
    """Budgets are spent outside: candidates and refunds leave the engine as they are."""

    def ask(self, candidate: Candidate) -> tuple[list[Effect], bool]:
        return [candidate], False

    def take_back(self, refund: Refund) -> list[Effect]:
        return [refund]


class Purse:
    """Budgets of one run that decides for all users in the order of event time.

    A refund is taken back when time has moved on, as `Request.order` has it.
    """

    def __init__(self, coupons: Coupons | None = None) -> None:
        """`coupons` None: there are no pools."""
        self._coupons = coupons or Pools({})
        self._budgets: defaultdict[str, Budget] = defaultdict(Budget)
        self._written: dict[str, str] = {}
        self._refunds: list[Refund] = []

    def ask(self, candidate: Candidate) -> tuple[list[Effect], bool]:
        self._take_back_before(candidate.record.at)
        settled = spend(self._budgets[budget_of(candidate)], self._written, self._coupons, candidate)
        return [effect for effect in settled if effect is not None], settled.refused

    def take_back(self, refund: Refund) -> list[Effect]:
        self._refunds.append(refund)
        return []

    def _take_back_before(self, time: int) -> None:
        due = [refund for refund in self._refunds if refund.at < time]
        if due:
            self._refunds = [refund for refund in self._refunds if refund.at >= time]
            for refund in due:
                give_back(self._budgets[budget_of(refund)], refund.units, self._coupons, refund.codes)
