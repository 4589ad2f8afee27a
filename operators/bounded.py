"""The engine of a bounded run: one task sees all users in the order of event time, and decides as a simulation does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from kairos.engine.effect import Candidate, Refund
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.expected_receipts import ExpectedReceipts
from kairos.engine.gate.budget import Budget, dispatch, refund
from kairos.engine.moment import Profiles, Settings
from kairos.engine.user_state import Case, UserState


class BoundedEngine(Engine):
    """Spends budgets itself: a refusal is known before anything else is decided. In a live job it comes back through
    the topic `receipts`; nothing reads that here.

    `receipts`: those that are in the input. Sends that they may speak of are not taken as delivered at once.
    """

    def __init__(self, settings: Settings, profiles: Profiles | None, receipts: Iterable[Event]) -> None:
        super().__init__(settings, profiles)
        self._budgets: defaultdict[str, Budget] = defaultdict(Budget)
        self.moment.awaits_receipt = ExpectedReceipts(receipts)

    def decide(self, user_id: str, state: UserState, case: Case, instant: int) -> list[Any]:
        effects: list[Any] = []
        for effect in super().decide(user_id, state, case, instant):
            if isinstance(effect, Candidate):
                record, delivery = dispatch(self._budgets[effect.record.activity], effect)
                effects += [record] if delivery is None else [record, delivery]
                if delivery is None:
                    self.refuse_budget(user_id, state, case)
            else:
                effects.append(effect)
        return effects

    def take_effects(self) -> list[Any]:
        effects = super().take_effects()
        for effect in effects:
            if isinstance(effect, Refund):
                refund(self._budgets[effect.activity])
        return [effect for effect in effects if not isinstance(effect, Refund)]
