"""Groups that compete: who wins, who waits, what is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.decision import Choice, Record
from kairos.engine.play.explain import Story
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.model import RuleSet
from tests.engine_kit import decisions, events, rules, run


def offer(name: str, worth: str = "value: 10, uplift: 0.1", on: str = "ask", **more: str) -> str:
    rest = "".join(f"{key}: {value}\n" for key, value in more.items())
    return (
        f"activity: {name}\ntrigger: {{event: {on}}}\nmatching: offers\nworth: {{{worth}}}\n"
        f"send: [{{channel: webhook}}]\n{rest}"
    )


def world(*activities: str, group: str = "", policy: str = "", **files: str) -> RuleSet:
    return rules(*activities, policy=f"matching: {{offers: {{{group}}}}}\n{policy}", **files)


def choices(rule_set: RuleSet, *given: str) -> dict[tuple[str, str], Choice]:
    found = {}
    for record in run(rule_set, events(*given)):
        if isinstance(record.choice, Choice):
            found[record.activity, record.outcome] = record.choice
    return found


TWO = (offer("best", "value: 100, uplift: 0.04"), offer("second", "value: 100, uplift: 0.02"))


def test_the_choice_stands_in_the_record_with_all_that_were_compared() -> None:
    found = choices(world(*TWO, group="explore: 50%"), "0s ask id=e1")
    one, other = found["best", "send"], found["second", "suppress"]
    assert (one.group, one.score, one.p, one.won) == ("offers", 4.0, 0.75, True)
    assert [(r.activity, r.score, r.p) for r in one.candidates] == [("best", 4.0, 0.75), ("second", 2.0, 0.25)]
    assert (other.score, other.p, other.won, other.candidates) == (2.0, 0.25, False, one.candidates)


def test_exploration_is_a_hash_that_gives_each_its_chance() -> None:
    rule_set = world(*TWO, offer("third", "value: 1, uplift: 0.01"), group="explore: 60%")
    given = [f"0s ask user=u{n} id=e{n}" for n in range(300)]
    won = [r.activity for r in run(rule_set, events(*given)) if r.outcome == "send"]
    assert won == [r.activity for r in run(rule_set, events(*given)) if r.outcome == "send"]
    share = {name: won.count(name) / 300 for name in ("best", "second", "third")}
    assert share == pytest.approx({"best": 0.6, "second": 0.2, "third": 0.2}, abs=0.08)


def test_ties_go_by_priority_then_name() -> None:
    assert decisions(world(offer("b"), offer("a")), events("0s ask")) == [
        "0s a send webhook", "0s b suppress outranked:offers",
    ]  # fmt: skip
    assert decisions(world(offer("b", priority="60"), offer("a")), events("0s ask")) == [
        "0s b send webhook", "0s a suppress outranked:offers",
    ]  # fmt: skip


def test_a_window_opens_with_the_first_and_compares_at_its_end_without_a_record_of_waiting() -> None:
    rule_set = world(offer("late", "value: 100, uplift: 0.04", on="b"), offer("early", on="a"), group="collect: 10m")
    assert decisions(rule_set, events("0s a", "10m a")) == ["10m early send webhook", "20m early send webhook"]
    assert decisions(rule_set, events("0s a", "9m b", "10m a")) == [
        "10m early suppress outranked:offers", "10m late send webhook", "20m early send webhook",
    ]  # fmt: skip


def test_a_goal_met_while_waiting_cancels() -> None:
    goal = "{event: buy, within: 1d}"
    rule_set = world(offer("a", goal=goal), offer("b", on="other"), group="collect: 10m")
    assert decisions(rule_set, events("0s ask", "4m buy", "6m other")) == [
        "4m a suppress cancelled",
        "10m b send webhook",
    ]


def test_per_counts_wins_over_a_rolling_span_ghosts_included() -> None:
    ghost = offer("ghost", "value: 100, uplift: 1", on="a", audience="{control_group: 100%}")
    rule_set = world(ghost, offer("b", on="b"), group="per: 1d")
    assert decisions(rule_set, events("0s a", "5h b", "23h59m b", "1d b")) == [
        "0s ghost control", "5h b suppress outranked:offers", "23h59m b suppress outranked:offers", "1d b send webhook",
    ]  # fmt: skip


def test_a_ghost_that_loses_is_recorded_as_control_too() -> None:
    rule_set = world(TWO[0], TWO[1] + "audience: {control_group: 100%}\n")
    assert decisions(rule_set, events("0s ask")) == ["0s best send webhook", "0s second control"]
    assert not choices(rule_set, "0s ask")["second", "control"].won


def test_a_ghost_that_would_be_held_is_recorded_at_once_and_competes_when_its_message_would() -> None:
    quiet = 'quiet_hours: {from: "11:00", to: "13:00"}'
    sms = "[{channel: sms, template: t}]"
    best = TWO[0].replace("[{channel: webhook}]", sms) + "audience: {control_group: 100%}\n"
    second = TWO[1].replace("[{channel: webhook}]", sms)
    assert decisions(world(best, second, policy=quiet), events("0s ask")) == [
        "0s best control", "0s second hold quiet_hours", "1h second suppress outranked:offers",
    ]  # fmt: skip
    met = best + "goal: {event: buy, within: 1d}\n"
    assert decisions(world(met, second, policy=quiet), events("0s ask", "5m buy")) == [
        "0s best control", "0s second hold quiet_hours", "5m best goal", "1h second send sms",
    ]  # fmt: skip


def test_losers_may_wait_for_the_next_slot() -> None:
    rule_set = world(*TWO, group="per: 2h, losers: retry")
    assert decisions(rule_set, events("0s ask")) == [
        "0s best send webhook", "0s second hold outranked:offers", "2h second send webhook",
    ]  # fmt: skip
    soon = world(TWO[0], TWO[1] + "limits: {send_before: 1h}\n", group="per: 2h, losers: retry")
    assert decisions(soon, events("0s ask"))[-1] == "1h second suppress expired"


def test_without_per_the_loser_waits_in_the_next_window() -> None:
    rule_set = world(*TWO, offer("new", "value: 1, uplift: 0.5", on="later"), group="collect: 10m, losers: retry")
    assert decisions(rule_set, events("0s ask", "15m later")) == [
        "10m best send webhook", "10m second hold outranked:offers", "20m new hold outranked:offers",
        "20m second send webhook", "30m new send webhook",
    ]  # fmt: skip


def test_one_instant_has_its_slots_once_in_all_its_rounds() -> None:
    follow = TWO[1].replace("trigger: {event: ask}", "trigger: {pattern: [{sent: best}]}")
    assert decisions(world(TWO[0], follow), events("0s ask")) == [
        "0s best send webhook", "0s second suppress outranked:offers",
    ]  # fmt: skip


def test_what_one_winner_uses_up_is_missing_for_the_next() -> None:
    policy = "caps: {few: {rules: [{max: 1, per: 1d}]}}\ndefault_caps: [few]\n"
    assert decisions(world(*TWO, group="choose: 2", policy=policy), events("0s ask")) == [
        "0s best send webhook", "0s second suppress cap:few",
    ]  # fmt: skip


def test_a_winner_that_the_budget_refuses_hands_on_to_nobody() -> None:
    best = TWO[0] + "limits: {budget: {sends: 1}}\n"
    rule_set = world(best, TWO[1], group="per: 1d")
    assert decisions(rule_set, events("0s ask user=u1", "1s ask user=u2", "2s ask user=u2"), users=True) == [
        "0s best send webhook u1", "0s second suppress outranked:offers u1",
        "1s best suppress budget u2", "1s second suppress outranked:offers u2",
        "2s best suppress outranked:offers u2", "2s second suppress outranked:offers u2",
    ]  # fmt: skip


def test_a_score_that_cannot_be_told_is_not_worth_it() -> None:
    rule_set = world(offer("a", "value: 10, uplift: profile.score_x"), offer("b", "value: price, uplift: 0.01"))
    assert decisions(rule_set, events("0s ask price=5")) == ["0s a suppress not_worth", "0s b send webhook"]


def test_what_is_measured_comes_from_numbers_yaml() -> None:
    goal = "{event: buy, within: 1d}"
    told = [offer(name, "value: 100, uplift: measured", goal=goal) for name in ("a", "b")]
    rule_set = world(*told, numbers="uplift: {b: 0.03}")
    assert decisions(rule_set, events("0s ask")) == ["0s a suppress outranked:offers", "0s b send webhook"]
    assert choices(rule_set, "0s ask")["b", "send"].score == 3.0
    assert choices(rule_set, "0s ask")["a", "suppress"].score == 0.0


def test_a_score_reads_metrics_and_profile() -> None:
    rule_set = world(
        *TWO, group='score: "uplift * value - 3 * metric.asks + profile.bonus"', metrics="asks: {count: ask}\n"
    )
    [first] = [r.choice for r in run(rule_set, events("0s ask"), {"u1": {"bonus": 2}}) if r.outcome == "send"]
    assert isinstance(first, Choice)
    assert first.score == 3.0


def test_messages_of_a_journey_compete_and_the_journey_goes_on() -> None:
    journey = """journey: welcome
trigger: {event: ask}
steps:
  - {id: hello, send: [{channel: webhook}], matching: offers, worth: {value: 100, uplift: 0.01}}
  - {wait: 1h}
  - {id: again, send: [{channel: webhook}], matching: offers, worth: {value: 100, uplift: 0.09}}
"""
    assert decisions(world(journey, TWO[0], group="collect: 5m"), events("0s ask")) == [
        "0s welcome match", "5m best send webhook", "5m welcome.hello suppress outranked:offers",
        "1h10m welcome.again send webhook", "1h10m welcome.left match",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- shared money
def spender(name: str, cost: str, **more: str) -> str:
    return offer(name, f"value: 100, uplift: 0.04, cost: {cost}", limits="{budget: spring}", **more)


BUDGET = "budgets: {spring: {cost: 1, until: 2026-11-03T12:00}}\n"


def test_a_shared_budget_is_spent_by_cost_and_never_overshot() -> None:
    rule_set = world(spender("a", "0.3", on="a"), spender("b", "0.4", on="b"), policy=BUDGET)
    given = events("0s a", "1s b", "2s b", "3s a", "1d a user=u2")
    assert decisions(rule_set, given) == [
        "0s a send webhook", "1s b send webhook", "2s b suppress budget", "3s a send webhook", "1d a suppress budget",
    ]  # fmt: skip


def test_what_came_to_nothing_gives_its_money_back() -> None:
    rule_set = world(spender("a", "0.6", on="a"), policy=BUDGET)
    failed = "1m receipt activity=a status=failed"
    assert decisions(rule_set, events("0s a", failed, "2m a", "3m a user=u2")) == [
        "0s a send webhook", "2m a send webhook", "3m a suppress budget",
    ]  # fmt: skip


def test_money_has_its_price_in_the_score() -> None:
    dear, cheap = spender("dear", "1"), offer("cheap", "value: 100, uplift: 0.02")
    assert decisions(world(dear, cheap, policy=BUDGET), events("0s ask"))[1] == "0s dear send webhook"
    priced = world(dear, cheap, policy=BUDGET, numbers="prices: {spring: 2.5}")
    assert decisions(priced, events("0s ask"))[0] == "0s cheap send webhook"
    rivals = choices(priced, "0s ask")["cheap", "send"].candidates
    assert [(r.activity, r.score, r.cost, r.price) for r in rivals] == [
        ("cheap", 2.0, None, None), ("dear", 0.5, 1.0, 2.5),
    ]  # fmt: skip


def test_messages_of_a_journey_spend_its_budget() -> None:
    hello = "{id: hello, send: [{channel: webhook}], worth: {cost: 0.7}}"
    journey = f"journey: welcome\ntrigger: {{event: ask}}\nlimits: {{budget: spring}}\nsteps: [{hello}]\n"
    assert decisions(rules(journey, policy=BUDGET), events("0s ask", "1s ask user=u2"), users=True) == [
        "0s welcome match u1", "0s welcome.hello send webhook u1", "0s welcome.left match u1",
        "1s welcome match u2", "1s welcome.hello suppress budget u2", "1s welcome.left match u2",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ told
def told(rule_set: RuleSet, activity: str, *given: str) -> list[str]:
    story = Story("u1")
    records: list[Record] = list(Simulation(rule_set, observer=story).run(events(*given)))
    return [line.text for line in story.tell(activity, records, 2**62)]


@pytest.mark.parametrize(
    ("activity", "group", "text"),
    [
        ("best", "", "wins offers: 4 > 2 (second)"),
        ("second", "", "loses in offers: 2 < 4 (best)"),
        ("second", "floor: 3", "is worth nothing in offers: 2 is below the floor"),
        ("best", "floor: 3", "wins offers with 4: there is no other"),
    ],
)
def test_explain_says_why(activity: str, group: str, text: str) -> None:
    lines = told(world(*TWO, group=group), activity, "0s ask")
    assert text in lines
    assert lines.index("passes every gate") == lines.index(text) - 1


def test_explain_says_of_chance_and_of_slots_that_were_taken() -> None:
    by_chance = world(*TWO, group="explore: 100%")
    user = next(n for n in range(99) if winner(by_chance, f"e{n}") == "second")
    assert "wins offers by chance (p 0.5): 2, beside 4 (best)" in told(by_chance, "second", f"0s ask id=e{user}")
    taken = told(world(*TWO, group="per: 1d"), "best", "0s ask", "1h ask")
    assert "loses in offers with 4: no slot is free since the last win" in taken
    waits = told(world(*TWO, group="collect: 5m"), "best", "0s ask")
    assert "stopped by matching: waits for the others of offers; held" in waits


def winner(rule_set: RuleSet, event_id: str) -> Any:
    return next(r.activity for r in run(rule_set, events(f"0s ask id={event_id}")) if r.outcome == "send")
