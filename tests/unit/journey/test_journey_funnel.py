"""A journey as one funnel, from its decisions."""

from __future__ import annotations

from kairos.engine.journey.funnel import Funnels
from tests.engine_kit import events, rules, run
from tests.unit.journey.test_journeys import journey


def test_messages_stand_in_the_order_in_which_people_come_to_them() -> None:
    text = journey(
        "tips\n{id: w, wait_for: {event: view, within: 2d}, otherwise: [{exit: cold}]}\nhello",
        "goal: {event: buy, within: 9d}\n",
    )
    given = events("0s in user=a", "0s in user=b", "0s in user=c", "0s in user=d", "1d view user=a", "1d buy user=b")
    funnels = Funnels()
    for record in run(rules(text), given):
        funnels.take(record)
    (stages,) = funnels.stages().values()
    assert [(stage.name, stage.runs, stage.share) for stage in stages] == [
        ("entered", 4, 1.0), ("tips sent", 4, 1.0), ("hello sent", 1, 0.25), ("left: cold", 2, 0.5),
        ("left: done", 1, 0.25), ("left: goal", 1, 0.25), ("goal", 1, 0.25),
    ]  # fmt: skip


def test_an_activity_is_no_journey_and_whoever_has_not_left_is_inside() -> None:
    plain = "activity: a\ntrigger: {event: in, as: in_}\n"
    funnels = Funnels()
    for record in [
        r for r in run(rules(plain, journey("tips\n{wait: 2d}")), events("0s in")) if r.activity != "j.left"
    ]:
        funnels.take(record)
    assert list(funnels.stages()) == ["j"]
    assert funnels.stages()["j"][-1].name == "still inside"


def test_the_goal_of_the_control_group_is_nobodys_who_came_in() -> None:
    """It was counted, and told as a share of those who came in."""
    text = journey("tips\n{wait: 2d}", "audience: {control_group: 50%}\ngoal: {event: buy, within: 9d}\n")
    users = [f"u{number}" for number in range(20)]
    given = events(*(f"0s in user={user}" for user in users), *(f"1d buy user={user}" for user in users))
    funnels = Funnels()
    for record in run(rules(text), given):
        funnels.take(record)
    stages = {stage.name: stage for stage in funnels.stages()["j"]}
    inside, control = stages["entered"].runs, stages["control group"].runs
    assert (inside + control, control > 0) == (20, True)
    assert (stages["goal"].runs, stages["goal"].share) == (inside, 1.0)
