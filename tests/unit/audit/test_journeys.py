"""What the audit makes of journeys: their messages share an occurrence, and hang together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine_kit import rules
from tests.unit.audit.story import POLICY, Story, activity, examined, found

JOURNEY = """journey: welcome
trigger: {event: signup}
limits: {caps: [m], budget: {sends: 3}}
steps:
  - {id: hello, send: [{channel: email, template: t}]}
  - {wait: 1h}
  - {id: tips, send: [{channel: email, template: t}]}
"""


@pytest.fixture
def story() -> Story:
    """Somebody has come in and got both messages; the version of a draft is that of what is live."""
    told = Story(rules(JOURNEY, activity("plain"), policy=POLICY))
    told.decide("welcome", "0s", "o", "match")
    told.sent("welcome.hello", "0s", "o")
    told.sent("welcome.tips", "1h", "o")
    return told


def test_a_whole_run_is_clean(story: Story, tmp_path: Path) -> None:
    story.decide("welcome.left", "1h", "o", "match", data={"reason": "done"})
    audited = story.audit(tmp_path)
    assert found(audited) == {}
    assert examined(audited, "journeys") == {"runs": 1, "messages": 2, "ended": 1}
    assert examined(audited, "budgets") == {"activities with a budget": 1, "units used up": 2}


def test_each_message_counts_under_a_cap(story: Story, tmp_path: Path) -> None:
    story.sent("plain", "2h")
    (what,) = found(story.audit(tmp_path))["caps"]
    assert what.startswith("plain for u1")
    assert "is number 3 under cap m" in what


def test_a_budget_is_the_whole_journeys(story: Story, tmp_path: Path) -> None:
    for day in (2, 4):
        story.decide("welcome", f"{day}d", f"o{day}", "match", user=f"u{day}")
        story.sent("welcome.hello", f"{day}d", f"o{day}", user=f"u{day}")
    (what,) = found(story.audit(tmp_path))["budgets"]
    assert what.startswith("welcome: unit 4 of a budget of 3")


def test_a_message_after_the_end(story: Story, tmp_path: Path) -> None:
    story.decide("welcome.left", "30m", "o", "match", data={"reason": "exit"})
    assert found(story.audit(tmp_path)) == {"journeys": ["welcome.tips for u1 was sent after the end of welcome"]}


def test_a_message_of_nobody_and_one_of_the_control_group(story: Story, tmp_path: Path) -> None:
    story.sent("welcome.hello", "2d", "x", user="u2")
    story.decide("welcome", "3d", "y", "control", user="u3")
    story.decide("welcome.hello", "3d", "y", "suppress", user="u3", reason="unreachable")
    assert found(story.audit(tmp_path)) == {
        "journeys": [
            "welcome.hello for u2 was decided, and nobody had come into welcome",
            "welcome.hello for u3 was decided, who is in the control group of welcome",
        ]
    }
