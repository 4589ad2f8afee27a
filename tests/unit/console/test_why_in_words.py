"""Why, and why not, on a Chinese page: every sentence that the engine has for it is put into words."""

from __future__ import annotations

import re

import pytest

from kairos.apps.console.words import say_in
from kairos.engine.gate.order import GATES
from tests.unit.console.conftest import Reader
from tests.unit.console.sentences import english_in, sentences

say = say_in("zh")
TELLING = [
    *(f"engine/play/{name}.py" for name in ("explain", "explain_gates", "explain_steps", "telling")),
    *(f"engine/journey/{name}.py" for name in ("telling", "entry", "hearing", "walking")),
    *("engine/matching/competing.py", "engine/gate/slot.py", "usecases/rules/explain.py"),
]
"""Where these sentences are."""
PARTS = {
    "does not count for `x1`: x1", " (in the control group: it is compared, and gets nothing)",
    "loses in x1:x1", " x1, and chance chose another", "the rules",
}  # fmt: skip
"""Of sentences that are put together of several."""
NAMES = frozenset({"lists", "topics", "yaml", "JavaScript", "when", "until", "reenter"})


@pytest.mark.parametrize("module", TELLING)
def test_every_sentence_is_put_into_words(module: str) -> None:
    for text in sentences(module):
        if text not in PARTS:
            assert english_in(say(text), NAMES) == set(), text


def test_every_gate_is_put_into_words() -> None:
    for name in GATES:
        assert english_in(say(f"passes {name.replace('_', ' ')}, once")) == set(), name


def test_a_story_on_a_chinese_page_has_no_english_word(local: Reader) -> None:
    names = frozenset({"cart", "left", "welcome", "back", "visit", "purchase", "console", "goal"})
    for path in ("/people/u1", "/people/u1?activity=welcome_back"):
        told = re.findall(r'<ol class="story">.*?</ol>', local.get(path, headers={"Accept-Language": "zh"}).text, re.S)
        text = re.sub(r"<[^>]*>", " ", " ".join(told))
        assert "触发条件已满足" in text or "welcome" in path
        assert english_in(text, names) == set()
