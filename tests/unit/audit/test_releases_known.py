"""Each decision is judged by the rules of its time, where they are known."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kairos.engine.rule.release import Release
from tests.engine_kit import HOUR
from tests.unit.audit.story import BASE, DAY, RULES, Story, examined, found


def releases(effective_at: int) -> list[Release]:
    """First no quiet hours, then those of POLICY."""
    awake = msgspec.structs.replace(RULES.policy, quiet_hours=None)
    before = msgspec.structs.replace(RULES, policy=awake)
    return [Release(1, before), Release(2, RULES, effective_at)]


def test_each_decision_is_judged_by_the_policy_of_its_time(story: Story, tmp_path: Path) -> None:
    story.sent("free", "12h")
    assert found(story.audit(tmp_path / "1", releases=releases(BASE + DAY))) == {}
    assert set(found(story.audit(tmp_path / "2", releases=releases(BASE)))) == {"quiet_hours"}


def test_just_after_a_release_the_one_before_may_still_have_decided(story: Story, tmp_path: Path) -> None:
    story.sent("free", "12h")
    for number, (ago, judged) in enumerate(((59_999, False), (60_000, True))):
        audited = story.audit(tmp_path / str(number), releases=releases(BASE + 12 * HOUR - ago))
        assert bool(found(audited)) is judged


def test_what_was_decided_before_any_release_that_is_known_is_not_judged(story: Story, tmp_path: Path) -> None:
    """A rule folder knows only its newest: nobody can say what held before."""
    for _ in range(3):
        story.sent("plain", "12h")
    newest = Release(7, RULES, BASE + 12 * HOUR - 59_999)
    audited = story.audit(tmp_path / "1", releases=[newest])
    assert found(audited) == {}
    before = "from before the first release that is known"
    assert examined(audited, "caps") == {"sends under caps": 0, "users": 0, f"sends {before}": 3}
    assert examined(audited, "quiet_hours") == {"calls": 0, f"calls {before}": 3}
    known = msgspec.structs.replace(newest, effective_at=BASE + 12 * HOUR - 60_000)
    assert set(found(story.audit(tmp_path / "2", releases=[known]))) == {"caps", "quiet_hours"}


def test_an_old_definition_that_drains_is_known(story: Story, tmp_path: Path) -> None:
    story.sent("rude", "12h")
    version, rude = story.decisions[0]["version"], RULES.activities["rude"]
    others = msgspec.structs.replace(RULES, activities={n: a for n, a in RULES.activities.items() if n != "rude"})
    gone, draining = Release(1, others), Release(1, others, draining={version: rude})
    assert "calls of a version that no known release has" in examined(
        story.audit(tmp_path / "1", releases=[gone]), "quiet_hours"
    )
    assert examined(story.audit(tmp_path / "2", releases=[draining]), "quiet_hours") == {
        "calls": 0,
        "of activities that ignore quiet hours": 1,
    }
