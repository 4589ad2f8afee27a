"""The measures on a Chinese page: no word of theirs stays English, whatever they have to say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from kairos.apps.console.screens import activity
from kairos.apps.console.words import say_in
from kairos.apps.page.definitions import FIELDS, KINDS
from kairos.apps.page.page import drawn, latest_lifts
from kairos.apps.page.verdict import LABELS, beside, verdict
from kairos.engine import measure
from kairos.engine.compare.difference import CLASSES, STAGES
from kairos.engine.measure.attribution import NOTE
from tests.unit.console.conftest import Reader
from tests.unit.console.sentences import english_in
from tests.unit.page.sample import sections

say = say_in("zh")


def names_of(section: Mapping[str, Any]) -> frozenset[str]:
    """What the shop itself calls activities, variants, channels, places and the like."""
    called = ("activity", "variant", "channel", "place", "theme", "group", "policy", "plan")
    said = [section["measure"], *(str(row[key]) for row in section["rows"] for key in called if key in row)]
    said += [str(row["arm"]) for row in section["rows"] if row.get("arm") not in ("treated", "control", None)]
    return frozenset(re.findall(r"[A-Za-z]+", " ".join(said)))


def test_panels_on_a_chinese_page_have_no_english_word(local: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each kind, on the page of an activity."""
    every = sections()
    told = [drawn({**section, "notes": []}, latest_lifts(every)) for section in every]
    monkeypatch.setattr(activity, "panels_of", lambda *_: told)
    page = local.get("/activities/cart_left?numbers=yes&lang=zh").text
    panels = re.sub(r"<pre.*?</pre>", "", page.partition('<section id="')[2].rpartition("</section>")[0], flags=re.S)
    labels = re.findall(r'(?:title|aria-label)="([^"]*)"', panels)
    text = re.sub(r"<[^>]*>", " ", panels.partition(">")[2])
    names = frozenset({"marketing"}).union(*map(names_of, every))
    assert english_in(unescape(" ".join([text, *labels])), names) == set()
    assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 500


def test_every_note_is_put_into_words() -> None:
    """As the source has them, with a number where one is put in."""
    source = "".join(path.read_text() for path in Path(measure.__file__).parent.glob("*.py"))
    notes = [re.sub(r"{\w+}", "12", note) for note in re.findall(r'notes\.append\(f?"(.*?)"\)', source)]
    assert len(notes) > 2
    for note in (*notes, NOTE):
        assert english_in(say(note)) == set(), note


@pytest.mark.parametrize("metric", ["goal", "value"])
def test_every_verdict_is_put_into_words(metric: str) -> None:
    rows = {"interval": [0.01, 0.05], "difference": 0.03, "srm_p": 0.0001, "metric": metric}
    for status, visible, control, treated, immature in product(LABELS, (None, 0.02), (0, 1, 9), (0, 1, 9), (0, 5)):
        row = {**rows, "status": status, "smallest_visible": visible, "n_control": control}
        told = verdict({**row, "n_treated": treated, "immature": immature, "matures_ms": 1_762_646_400_000})
        assert english_in(say(told)) == set(), told
        if status != "unsound":
            pair = beside(rows, {**rows, "status": status, "smallest_visible": visible})
            assert english_in(say(pair)) == set(), pair


def test_labels_reasons_and_meanings_are_put_into_words() -> None:
    reasons = [stage for stage in STAGES if stage != "cap"]
    for text in (*LABELS.values(), *reasons, *CLASSES, *KINDS.values(), *FIELDS.values()):
        names = frozenset({"Holm", "delta", "Kaplan", "Meier"})
        assert english_in(say(text), names) == set(), text
    assert say("cap:marketing") == "频控 marketing"
    assert say("quiet hours 12, once 3") == "免打扰时段 12, 重复限制 3"


def test_what_a_plan_lacks_is_put_into_words_and_its_names_stay() -> None:
    lacks = "event signup, prop product_view.product_id, profile.email"
    assert say(lacks) == "事件 signup, 属性 product_view.product_id, 档案 email"
    what = "rules does not know event signup and prop cart.sum"
    told = say(f"{what}; declare it, or say what it is called here: --set paid=...")
    assert told.startswith("rules 中没有事件 signup 和属性 cart.sum")
    assert say("event store at noon") == "event store at noon"  # a sentence that nobody has put into words


def test_names_and_what_is_hostile_stay_as_they_are() -> None:
    assert say("<script>alert(1)</script>") == "<script>alert(1)</script>"
    assert say(Markup('<b title="lost &lt;x&gt;">lost</b>')) == Markup('<b title="lost &lt;x&gt;">流失</b>')
    assert isinstance(say(Markup("<i>x</i>")), Markup)
    assert not isinstance(say("x"), Markup)
    picture = Markup("<svg></svg>")
    assert (say_in("en")("lost"), say_in("en")(picture)) == ("lost", picture)
    assert isinstance(say_in("en")(picture), Markup)


@pytest.mark.parametrize("joint", [" is ", ": ", "; ", ", ", " of ", " or ", "() takes ", "\n", " in , of : is ; at"])
def test_what_is_put_together_to_be_hard_is_left_as_it_is_or_told(joint: str) -> None:
    """Sentences inside of sentences have an end; a text of any length comes back."""
    for text in (("x" + joint) * 400, ("x" + joint) * 5_000):
        assert "x" in say(text)


def test_parts_of_a_sentence_are_told_and_names_in_it_stay() -> None:
    told = "per: 'x' is a number in held, and text in lost: they never are equal"
    assert say(told) == "per: 'x' 在 held 中为数字，在 lost 中为文本：永远不会相等"
    line = "  a.yaml:3:4: error: once: expected ever, a number or a list, found 'x'; did you mean 'y'? [bad-value]"
    assert say(f"never built\n{line}") == (
        "从未计算\n  a.yaml:3:4：错误：once: 应为 ever, 数字或列表，实际为 'x'；是否想写 'y'？ [bad-value]"
    )
