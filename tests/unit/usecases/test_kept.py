"""What is kept of rules gives what would be made anew."""

from __future__ import annotations

import random

import pytest

from kairos.engine.event import Event
from kairos.engine.play.simulate import program_of
from kairos.engine.rule.model import RuleSet
from kairos.usecases.people.past import Past
from kairos.usecases.rules import kept
from kairos.usecases.rules.explain import Explained, explain
from tests.measured import HOUR, START, valid

CART = """
activity: cart_left
title: Cart
owner: shop@example.com
state: live
trigger:
  pattern:
    - {event: cart, as: left, where: "amount > 20"}
    - {event: visit, as: looked}
  within: 2d
send: [{channel: console}]
goal: {event: purchase, within: 1d}
"""
BACK = """
activity: back
title: Back
owner: shop@example.com
state: live
trigger: {event: visit}
send: [{channel: console}]
"""
SCRIPT = BACK.replace("{event: visit}", "{event: visit, where: {js: 'true'}}")


def rules(**activities: str) -> RuleSet:
    found = valid({f"activities/all/{name}.yaml": text.encode() for name, text in activities.items()}).rules
    assert found is not None
    return found


def told(known: RuleSet, seed: int) -> Explained:
    chance, user = random.Random(seed), f"u{seed}"
    events = [
        Event(f"e{n}", chance.choice(["cart", "visit", "purchase"]), START + n * 7 * HOUR, "",
              {"amount": chance.choice([5, 30])}, user)
        for n in range(chance.randrange(1, 30))
    ]  # fmt: skip
    return explain(known, Past(events, None), None, user)


def test_a_program_that_was_run_before_says_what_a_new_one_says() -> None:
    known = rules(cart_left=CART, back=BACK)
    for seed in range(40):
        assert told(known, seed) == told(rules(cart_left=CART, back=BACK), seed)


def test_a_program_is_lent_to_one_at_a_time_and_not_again_after_a_mistake() -> None:
    known = rules(back=BACK)
    with kept.lent(known) as one, kept.lent(known) as other:
        assert one is not None
        assert other is not one
    with kept.lent(known) as again:
        assert again in (one, other)
    left = kept._free(known).copy()
    with pytest.raises(ZeroDivisionError), kept.lent(known):
        raise ZeroDivisionError
    assert len(kept._free(known)) == len(left) - 1


def test_rules_with_scripts_have_none() -> None:
    assert program_of(rules(back=SCRIPT)) is None
    assert told(rules(back=SCRIPT), 1).chapters


def test_what_was_made_is_of_these_rules() -> None:
    made = kept.KeptOf(lambda known: sorted(known.activities))
    sets = [rules(**{f"back_{number}": BACK.replace("back", f"back_{number}", 1)}) for number in range(kept.MOST + 2)]
    for _ in range(2):
        for number, known in enumerate(sets):
            assert made(known) == [f"back_{number}"]
    assert made(sets[-1]) is made(sets[-1])
