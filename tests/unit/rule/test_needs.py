"""What a program needs to know of users: no more is fetched of them."""

from __future__ import annotations

from kairos.engine.channel import ADDRESSES
from kairos.engine.expression import JavaScript
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.reads.needs import ALWAYS, Needs, needs_of
from kairos.engine.rule.release import Release
from tests.engine_kit import program_of, rules

FIRST = "activity: a\ntrigger: {event: order}\n"


def fields(needs: Needs) -> set[str]:
    assert needs.fields is not None
    assert needs.fields >= ALWAYS | ADDRESSES
    return set(needs.fields - ALWAYS - ADDRESSES)


def test_a_plan_that_asks_for_nothing() -> None:
    needs = needs_of(program_of(rules(FIRST, crowds="staff: {members: redis}\n")))
    assert (fields(needs), needs.crowds, needs.lists) == (set(), set(), set())


def test_fields_of_every_expression_and_template() -> None:
    text = """activity: a
trigger: {event: order, where: profile.one == 1}
audience: {where: profile.two == 1, in: [c]}
data: {x: profile.three}
variants:
  - {name: v, weight: 1, send: [{channel: sms, template: hello, data: {y: profile.four}}]}
goal: {event: pay, within: 1d, where: profile.five == 1, value: profile.six}
"""
    crowds = "c: {union: [{where: profile.seven == 1}, d]}\nd: {where: profile.eight == 1}\n"
    unread = "e: {where: profile.nine == 1}\n"
    template = {"hello.sms": "{{ profile.ten }}{% if profile.eleven %}{% endif %}"}
    needs = needs_of(program_of(rules(text, crowds=crowds + unread, templates=template)))
    assert fields(needs) == {"one", "two", "three", "four", "five", "six", "seven", "eight", "ten", "eleven"}


def test_crowds_however_they_are_reached() -> None:
    members = "".join(f"{name}: {{members: redis}}\n" for name in ("k1", "k2", "k3", "k4", "k5", "k6", "unread"))
    crowds = members + (
        "here: {members: [u1]}\n"
        "tenth: {sample: 10%, of: k4}\n"
        "mixed: {difference: [here, {intersect: [k5, tenth]}]}\n"
        'asked: {where: in_crowd("k6")}\n'
    )
    first = FIRST + "audience: {in: [mixed], any_of: [k1], not_in: [asked], control_group: k2}\n"
    second = 'activity: b\ntrigger: {event: order, where: in_crowd("k3")}\n'
    needs = needs_of(program_of(rules(first, second, crowds=crowds)))
    assert needs.crowds == {"k1", "k2", "k3", "k4", "k5", "k6"}


def test_a_rule_that_reads_the_crowds_itself_needs_all() -> None:
    text = FIRST + "audience: {where: \"'staff' in profile.crowds\"}\n"
    assert needs_of(program_of(rules(text, crowds="staff: {members: redis}\n"))).crowds == {"staff"}


def test_a_script_may_read_anything() -> None:
    text = 'activity: a\ntrigger: {event: order, where: {js: "profile[event.props.name]"}}\n'
    release = Release(1, rules(text, crowds="staff: {members: redis}\n"))
    needs = needs_of(compile_release(release, max_runs=1, script=JavaScript()))
    assert (needs.fields, needs.crowds) == (None, {"staff"})


def test_lists() -> None:
    needs = needs_of(program_of(rules(FIRST, policy="lists: {black: redis, white: [u1]}\n")))
    assert needs.lists == {"black"}


def test_of_two_releases_both_are_served() -> None:
    one, two = Needs(frozenset("a"), frozenset("k")), Needs(frozenset("b"), frozenset(), frozenset({"black"}))
    assert one | two == Needs(frozenset("ab"), frozenset("k"), frozenset({"black"}))
    assert (one | Needs(None)).fields is None
