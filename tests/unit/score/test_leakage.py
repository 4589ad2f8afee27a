"""What a seed's definition reads is barred, wherever in it that stands."""

from __future__ import annotations

import pytest

from kairos.engine.crowd.spec import Crowd, HistoryCrowd, Limit, Members, Sample, SetCrowd, SqlCrowd
from kairos.engine.score.features import Barred
from kairos.engine.score.leakage import barred_by

CROWDS: dict[str, Crowd] = {
    "gold": HistoryCrowd("profile.tier == 'gold' and not profile.closed"),
    "rich": HistoryCrowd("total(order.amount, 90d, status == 'ok') >= 500 or last(visit) < 3d"),
    "loyal": HistoryCrowd("rfm.segment == 'loyal'"),
    "friends": HistoryCrowd("in_crowd('gold') and count(invite) > 1"),
    "hand": Members(None),
    "both": SetCrowd("union", ("gold", SetCrowd("difference", ("hand", Sample(0.1, "loyal"))))),
    "best": Limit(10, "hand", "max(order.amount)"),
    "typed": SqlCrowd("a.sql", "SELECT user_id FROM events WHERE type = 'login' AND time_ms > $as_of_ms - 5"),
    "untyped": SqlCrowd("b.sql", "SELECT e.user_id FROM events e JOIN profiles p USING (user_id) WHERE p.level > 3"),
    "segments": SqlCrowd("c.sql", "SELECT user_id FROM rfm WHERE m = 5"),
    "circle": SetCrowd("union", ("circle", "gold")),
}


@pytest.mark.parametrize(
    ("seed", "types", "fields", "every"),
    [
        ("gold", set(), {"tier", "closed"}, False),
        ("rich", {"order", "visit"}, set(), False),
        ("loyal", {"buy"}, set(), False),
        ("friends", {"invite"}, {"tier", "closed"}, False),
        ("hand", set(), set(), False),
        ("both", {"buy"}, {"tier", "closed"}, False),
        ("best", {"order"}, set(), False),
        ("typed", {"login"}, {"type", "time_ms", "user_id"}, False),
        ("untyped", set(), {"user_id", "level"}, True),
        ("segments", {"buy"}, {"user_id", "m"}, False),
        ("circle", set(), {"tier", "closed"}, False),
        ("nobody", set(), set(), False),
    ],
)
def test_barred(seed: str, types: set[str], fields: set[str], every: bool) -> None:
    assert barred_by(seed, CROWDS, ["buy"]) == Barred(frozenset(types), frozenset(fields), every)
