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
