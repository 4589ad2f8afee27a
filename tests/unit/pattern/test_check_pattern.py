"""What is refused, and with which code; and that nothing else is."""

from __future__ import annotations

import pytest

from kairos.engine.pattern import AfterMatch, Pattern, Step, Times, check_pattern

WEEK = 7 * 24 * 3600 * 1000

A = Step("event", ("a",), "a")
B = Step("event", ("b",), "b")
NO_B = Step("absent", ("b",), "no_b")
NO_C = Step("absent", ("c",), "no_c")
NOT_B = Step("not_next", ("b",), "not_b")
MANY = Step("event", ("m",), "m", times=Times(1, None))


def step(**settings: object) -> Step:
    return Step("event", ("m",), "m", **settings)  # type: ignore[arg-type]


REFUSED = {
    "no steps": (Pattern(()), None, "no_steps"),
    "absent first": (Pattern((NO_B, A), WEEK), 0, "begins_with_not"),
    "not_next first": (Pattern((NOT_B, A)), 0, "begins_with_not"),
    "the same name twice": (Pattern((A, A)), 1, "duplicate_step"),
    "min above max": (Pattern((step(times=Times(3, 2)),)), 0, "bad_times"),
    "at most none": (Pattern((A, step(times=Times(0, 0)))), 1, "bad_times"),
    "optional absent": (
        Pattern((A, Step("absent", ("b",), "b", optional=True)), WEEK),
        1,
        "not_with_quantifier",
    ),
    "repeated not_next": (
        Pattern((A, Step("not_next", ("b",), "b", times=Times(2, 2)))),
        1,
        "not_with_quantifier",
    ),
    "greedy alone": (Pattern((A, step(greedy=True))), 1, "greedy_without_repetition"),
    "inside alone": (Pattern((A, step(inside="any"))), 1, "inside_without_repetition"),
    "greedy and any": (Pattern((A, step(greedy=True, inside="any", times=Times(1, 3)))), 1, "greedy_with_any"),
    "until alone": (Pattern((A, step(until="x"))), 1, "until_without_repetition"),
    "until on a bounded repetition": (
        Pattern((A, step(until="x", times=Times(1, 3)))),
        1,
        "until_without_repetition",
    ),
    "open without end": (Pattern((A, MANY, B)), 1, "open_without_end"),
    "absent last without within": (Pattern((A, NO_B)), 1, "absent_without_within"),
    "optional before absent": (Pattern((A, step(optional=True), NO_B, B)), 1, "optional_before_not"),
    "zero times before not_next": (Pattern((A, step(times=Times(0, 2)), NOT_B, B)), 1, "optional_before_not"),
    "optional after greedy": (
        Pattern((step(greedy=True, times=Times(1, 2)), Step("event", ("a",), "a", optional=True), B)),
        1,
        "optional_after_greedy",
    ),
    "two absent at the end": (Pattern((A, NO_B, NO_C), WEEK), 1, "absent_without_effect"),
    "absent before not_next": (Pattern((A, NO_C, NOT_B, B)), 1, "absent_without_effect"),
    "absent before absent and not_next": (
        Pattern((A, B, NO_C, Step("absent", ("d",), "no_d"), Step("not_next", ("e",), "not_e"), MANY), WEEK),
        2,
        "absent_without_effect",
    ),
    "skip to nobody": (
        Pattern((A, B), after_match=AfterMatch("skip_to_first", "x")),
        None,
        "unknown_skip_target",
    ),
    "skip to an absent step": (
        Pattern((A, NO_C, B), after_match=AfterMatch("skip_to_last", "no_c")),
        None,
        "unknown_skip_target",
    ),
}


@pytest.mark.parametrize(("pattern", "place", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(pattern: Pattern, place: int | None, code: str) -> None:
    problems = check_pattern(pattern)
    assert (problems[0].step_index, problems[0].code) == (place, code)
    assert {problem.code for problem in problems} == {code}
    assert problems[0].message
    assert problems[0].hint


FINE = {
    "one step": Pattern((A,)),
    "absent last": Pattern((A, NO_B), WEEK),
    "not_next last": Pattern((A, NOT_B)),
    "absent in the middle without within": Pattern((A, NO_C, B)),
    "two absent in the middle": Pattern((A, NO_B, NO_C, Step("event", ("d",), "d"))),
    "not_next, then absent": Pattern((A, NOT_B, NO_C), WEEK),
    "open with within": Pattern((A, MANY, B), WEEK),
    "open with until": Pattern((A, step(times=Times(1, None), until="x"), B)),
    "optional after absent": Pattern((A, NO_C, step(optional=True), B)),
    "greedy before absent": Pattern((step(greedy=True, times=Times(1, None)), NO_B), WEEK),
    "all optional": Pattern((step(optional=True),)),
    "skip to a step": Pattern((A, B), after_match=AfterMatch("skip_to_last", "a")),
}


@pytest.mark.parametrize("pattern", FINE.values(), ids=FINE)
def test_fine(pattern: Pattern) -> None:
    assert check_pattern(pattern) == []


def test_all_problems_are_told_in_the_order_of_the_steps() -> None:
    pattern = Pattern((A, MANY, A, NO_B), after_match=AfterMatch("skip_to_first", "x"))
    assert [problem.code for problem in check_pattern(pattern)] == [
        "unknown_skip_target",
        "open_without_end",
        "duplicate_step",
        "absent_without_within",
    ]
