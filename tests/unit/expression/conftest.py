"""An event with its user, for each test."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from kairos.engine.event import Event
from kairos.engine.expression.scope import Facts
from tests.unit.expression.facts import PROPS


@pytest.fixture
def scope() -> Facts:
    made = Facts()
    made.event = Event("e9", "order", 1_763_778_000_000, "shop", PROPS, "u1")  # 2025-11-22T02:20Z, a Saturday
    made.props = PROPS
    made.steps = {
        "order": (Event("e1", "order", 1, "shop", {"id": "o1", "n": 1}),),
        "views": [Event(f"v{n}", "view", n, "shop", {"n": n, "text": "x"}) for n in (3, 1, 2)],
        "none": (),
    }
    made.profile = {"level": 3}
    made.metric = {"spend": 120.5}.get
    made.prior = {"spend": 20}.get
    made.in_crowd = {"vips"}.__contains__
    made.now = made.event.time
    made.zone = ZoneInfo("Asia/Shanghai")
    return made
