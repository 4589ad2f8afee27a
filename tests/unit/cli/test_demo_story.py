"""When a demonstration is content: what its observer saw, against what was due."""

from __future__ import annotations

import pytest

from kairos.apps.demo.observer import Fact
from kairos.apps.demo.order_sms import CAST
from kairos.apps.demo.story import texts_of, verdict

(RIGHT,) = CAST.texts["anna"]


def taken(user: str, text: str, channel: str = "sms") -> Fact:
    return Fact(0, user, "taken", "", {"channel": channel, "message": {"Body": text + "\n"}})


@pytest.mark.parametrize(
    ("facts", "good"),
    [
        ([taken("anna", RIGHT)], True),
        ([taken("anna", RIGHT), taken("ben", "to another channel", "wechat"), Fact(0, "ben", "event", "", {})], True),
        ([], False),
        ([taken("anna", RIGHT), taken("anna", RIGHT)], False),
        ([taken("anna", RIGHT.replace("Anna Lind", "Ben Okoro"))], False),
        ([taken("anna", RIGHT), taken("ben", RIGHT)], False),
        ([taken("anna", RIGHT), taken("?", RIGHT)], False),
    ],
)
def test_only_the_one_text_that_is_due_is_good(facts: list[Fact], good: bool) -> None:
    came = texts_of(facts)
    assert CAST.as_due(came) is good
    verdicts = [verdict(came.get(user, []), CAST.texts.get(user, ())) for user in {*came, *CAST.texts}]
    assert any("WRONG" in line for line in verdicts) is not good
