"""A rollout is an epoch of its own, and leaves those of the others as they would be without it."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.measure.entries import Subject
from kairos.engine.measure.epochs import Arms
from kairos.engine.measure.spec import Happening, Lift
from tests.measure_world import Happened, World

DAY = 86_400_000
NOON = 1_793_620_800_000
LIFT = Lift("a", "rate", Happening(("paid",)), DAY)


def entries(prefix: str, users: int, first: int, **more: Any) -> list[dict[str, Any]]:
    """A fifth of them in the control group."""
    return [
        {"user_id": f"{prefix}{n}", "occurrence": f"{prefix}{n}", "at_ms": first + n,
         "outcome": "control" if n % 5 == 0 else "send", **more}
        for n in range(users)
    ]  # fmt: skip


@pytest.mark.parametrize("versions", [{}, {"new": Arms(0.2, (), "a"), "v": Arms(0.2, (), "a")}], ids=["one", "several"])
def test_an_epoch_of_its_own(versions: dict[str, Arms]) -> None:
    subject = Subject("a", Arms(0.2, (), "a"), versions)
    before, meanwhile, after = (entries(name, 50, NOON + day * DAY) for day, name in enumerate("bma"))
    rolled = entries("r", 40, NOON + DAY, version="new", rollout=True)
    events = [Happened("b1", "paid", NOON + 5, {}), Happened("r1", "paid", NOON + DAY + 5, {})]
    plain = World().events(events).decisions([*before, *meanwhile, *after]).ask(LIFT, NOON + 9 * DAY, subject)
    both = World().events(events).decisions([*before, *meanwhile, *after, *rolled]).ask(LIFT, NOON + 9 * DAY, subject)
    assert both[: len(plain)] == plain, "those of the others are as they would be without it"
    (row,) = both[len(plain) :]
    assert (row["epoch"], row["n_control"], row["n_treated"]) == (plain[-1]["epoch"] + 1, 8, 32)
