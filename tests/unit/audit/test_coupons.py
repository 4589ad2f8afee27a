"""The audit of coupons: codes given twice, one too many for a user, and codes that nobody has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.usecases.results.audit.world import Kept
from tests.engine_kit import rules
from tests.unit.audit.story import Story, examined, found

GIFT = """
activity: gift
trigger: {event: ask}
limits: {caps: []}
data: {code: 'coupon("spring")'}
send: [{channel: sms, template: t}, {channel: email, template: t}]
"""
RULES = rules(GIFT, GIFT.replace("gift", "more"), coupons="spring: {codes: redis, per_user: 2}")


def gave(story: Story, user: str, code: str, state: str = "sent", activity: str = "gift", **more: Any) -> str:
    story.decide(activity, "0s", f"o-{user}-{code}", user=user, data={"code": code}, **more)
    story.row(state, "accepted" if state == "sent" else "rejected")
    return f"{activity}/o-{user}-{code}/{user}"


def history() -> Story:
    """A to u1, B to u2; C failed for u3 and went to u1, who may have two."""
    story = Story(RULES)
    held = [("A", gave(story, "u1", "A")), ("B", gave(story, "u2", "B"))]
    gave(story, "u3", "C", "failed")
    held.append(("C", gave(story, "u1", "C", activity="more")))
    story.pools = {"spring": Kept(5, 2, held)}
    return story


def problems(story: Story, folder: Path, now: str | None = None) -> list[str]:
    by_check = found(story.audit(folder, now))
    assert set(by_check) <= {"coupons"}, by_check
    return by_check.get("coupons", [])


def test_a_history_in_which_all_is_well(tmp_path: Path) -> None:
    audited = history().audit(tmp_path)
    assert found(audited) == {}
    assert examined(audited, "coupons") == {"codes given out": 3, "pools looked into": 1}


def test_a_code_that_went_to_two(tmp_path: Path) -> None:
    story = history()
    gave(story, "u4", "A")
    story.pools = None
    assert problems(story, tmp_path) == ["spring: the code A went to gift/o-u1-A/u1 and gift/o-u4-A/u4"]


def test_an_occurrence_with_two_codes(tmp_path: Path) -> None:
    story = history()
    story.decide("gift", "1m", "o-u2-B", user="u2", data={"code": "D"}, attempt=2)
    story.row("sent", "accepted")
    story.pools = None
    assert problems(story, tmp_path) == ["spring: gift/o-u2-B/u2 has 2 codes: B, D"]


def test_a_user_with_one_too_many(tmp_path: Path) -> None:
    story = history()
    gave(story, "u1", "D")
    story.pools = None
    assert problems(story, tmp_path) == ["spring: u1 has 3 codes of 2"]


@pytest.mark.parametrize(
    ("kept", "what"),
    [
        (lambda held: Kept(6, 2, held), "spring: 1 of 6 codes are neither free nor taken"),
        (lambda held: Kept(5, 1, [*held, ("D", "gift/x/u9")]),
         "spring: the code D is held by gift/x/u9, of whom no decision tells"),
        (lambda held: Kept(5, 3, held[1:]), "spring: the code A went to gift/o-u1-A/u1, and the pool does not know"),
        (lambda held: Kept(6, 2, [*held, ("C", "gift/o-u3-C/u3")]),
         "spring: the code C of gift/o-u3-C/u3 never went, and has not come back"),
    ],
)  # fmt: skip
def test_what_lies_in_the_pool_is_what_decisions_tell(kept: Any, what: str, tmp_path: Path) -> None:
    story = history()
    assert story.pools is not None
    story.pools = {"spring": kept(list(story.pools["spring"].held))}
    assert problems(story, tmp_path) == [what]


def test_while_all_is_under_way_a_code_may_be_ahead_of_its_decision(tmp_path: Path) -> None:
    story = history()
    assert story.pools is not None
    story.pools = {"spring": Kept(5, 1, [*story.pools["spring"].held, ("D", "gift/x/u9")])}
    audited = story.audit(tmp_path, now="1h")
    assert "coupons" not in found(audited)
    assert examined(audited, "coupons")["codes whose decision may be on its way"] == 1
