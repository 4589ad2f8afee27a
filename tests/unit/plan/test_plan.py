"""What a plan may say, and how its parameters are put in: node by node, everything else as it is written."""

from __future__ import annotations

import pytest

from kairos.engine.plan.fill import Edit, Filling
from kairos.engine.plan.parameter import given
from kairos.engine.plan.write import kept, merged, write
from kairos.usecases.errors import AskError
from kairos.usecases.rules.plans import filled
from tests.unit.plan.library import HELLO, findings, plan


def written(**settings: str) -> dict[str, str]:
    made = write(filled(plan(), settings), "hi")
    return made.own | made.texts


def test_the_file_has_the_name_the_plan_and_what_was_put_in() -> None:
    text = written(wait="15m")["activities/plans/hi.yaml"]
    assert (
        text
        == f"""activity: hi
from:
  plan: hello
  version: "{plan().version}"
  parameters: {{began: signup, wait: 15m, coupon: "IT'S 5", topic: null}}
# Not at once.
trigger:
  pattern:
    - {{event: signup}}   # the first
    - {{absent: bye}}
  within: 15m
data: {{coupon: '"IT''S 5"'}}
send: [{{channel: email, template: hello}}]
goal: {{event: purchase, within: 7d}}
"""
    )


def test_times_of_the_examples_follow() -> None:
    text = written(wait="15m", began="arrival")["activities/plans/hi.test.yaml"]
    assert "{at: 14m59s, arrival: {user_id: u1, way: door}}" in text
    assert '{at: 15m, outcome: send, data: {coupon: "IT\'S 5"}}' in text
    assert "{at: 29m59s, outcome: send}" in text


def test_what_is_nothing_is_left_out_and_what_is_set_is_there() -> None:
    assert "topic: news    # who agreed\n# Not at once." in written(topic="news")["activities/plans/hi.yaml"]
    assert written()["templates/hello.email.liquid"] == "Subject: {{ coupon }}\n\nHello.\n"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"wait": "3d"}, "wait: expected 1m to 2d, found 3d"),
        ({"wait": "soon"}, "wait: expected a duration"),
        ({"wait": ""}, "wait: expected a value"),
        ({"began": "{a: 1}"}, "began: expected an event type"),
        ({"wiat": "1h"}, "did you mean 'wait'?"),
    ],
)
def test_what_cannot_be_put_in(settings: dict[str, str], said: str) -> None:
    with pytest.raises(AskError, match=said):
        filled(plan(), settings)


def test_a_value_is_no_yaml_that_could_say_more() -> None:
    """Whatever stands in a text stays one scalar."""
    for text in ('a"}, send: [', "x: y", "# no", "null", "5", "'", "{$: wait}"):
        value, problem = given(text, plan().parameters["coupon"])
        assert problem is None
        assert value is not None
        made = filled(plan(), {"coupon": text})
        assert made.root.entries[-1][0].text == "tests"
        assert set(write(made, "hi").own) == {"activities/plans/hi.yaml", "activities/plans/hi.test.yaml"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{$: wait}\n  data", "{$: wiat}\n  data", "20:13 error unknown-parameter: there is no parameter 'wiat'"),
        ("within: {$: wait}", "within: {$: coupon}", "20:13 error bad-duration"),
        ("default: 1h", "default: 3d", "6:52 error out-of-range"),
        ("range: [1m, 2d]", "range: [2d, 1m]", "6:33 error bad-range"),
        ("default: 1h", "default: an hour", "6:52 error bad-duration"),
        ("activity:\n", "activity:\n  sned: [{channel: push}]\n", "14:3 error unknown-key: activity: unknown key"),
        ("literal: true", "litteral: true", "21:30 error unknown-key"),
        ("minus: 1s}, $began", "minus: 1}, $began", "38:26 error bad-mark"),
        ("{$: began}, window", "{$: topic}, window", "25:14 error bad-mark"),
        ("$began: [way]", "$wait: [way]", "11:11 error bad-mark"),
        ("title: A greeting\n", "", "1:1 error missing-key: plan: 'title' is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_plan_is_told_at_its_place(old: str, new: str, said: str) -> None:
    assert said in "\n".join(findings(HELLO.replace(old, new, 1)))


def test_a_parameter_that_nothing_asks_for() -> None:
    more = HELLO.replace("requires:", "  spare: {type: integer, default: 1}\nrequires:")
    assert findings(more) == ["9:3 warning unused-parameter: spare: nothing of the plan asks for it"]


def test_an_entry_that_may_be_left_out_stands_alone() -> None:
    text = HELLO.replace("send: [{channel: email, template: hello}]", "limits: {once: 7d, send_before: {$: topic}}")
    assert "an entry that may be left out stands on a line of its own" in "\n".join(findings(text))


def test_the_version_is_of_what_it_means() -> None:
    other = HELLO.replace("A greeting", "Hello").replace("# Not at once.", "# Later.") + EVIDENCE
    assert plan(other).version == plan().version
    assert plan(HELLO.replace("within: 7d", "within: 8d")).version != plan().version


EVIDENCE = """evidence:
  lift: 0.01
  interval: [-0.02, 0.04]
  n: 10
  as_of: 2026-11-30T00:00:00Z
"""


def test_a_place_in_the_filled_text_is_one_in_the_plan() -> None:
    filling = Filling("ab{$: x}cd\nef", [Edit(2, 8, "Y"), Edit(11, 13, "")])
    assert filling.text == "abYcd\n"
    assert [filling.place(1, column) for column in (1, 3, 4)] == [(1, 1), (1, 3), (1, 9)]


def test_shared_files_stay_as_they_are_but_for_what_is_new() -> None:
    before = "# ours\na: {count: x}   # first\n\nb: {count: y}\n"
    after, other = merged(before, {"c": "c: {count: z}\n", "a": "a: {count: x} # the same\n", "b": "b: {count: q}\n"})
    assert after == before + "c: {count: z}\n"
    assert other == ["b"]


def test_what_a_plan_says_nothing_of_stays_in_an_upgrade() -> None:
    before = "activity: hi\nfrom: {plan: hello}\nstate: live   # since May\nowner: crm\nlimits: {once: 7d}\n"
    after = "activity: hi\nfrom: {plan: hello, x: y}\nlimits: {once: 8d}\n"
    assert kept(before, after) == (
        "activity: hi\nfrom: {plan: hello, x: y}\nstate: live   # since May\nowner: crm\nlimits: {once: 8d}\n"
    )


def test_a_plan_in_braces_is_the_same_plan() -> None:
    text = HELLO[: HELLO.index("activity:")] + (
        "activity: {trigger: {event: {$: began}}, send: [{channel: push}], limits: {once: {$: wait}}}\n"
        "tests: {tests: [{name: x, events: [], expect: []}]}\n"
    )
    own = write(filled(plan(text), {"wait": "2h"}), "hi").own
    assert own["activities/plans/hi.yaml"].endswith(
        "trigger: {event: signup}\nsend: [{channel: push}]\nlimits: {once: 2h}\n"
    )
    assert own["activities/plans/hi.test.yaml"] == "tests: [{name: x, events: [], expect: []}]\n"
