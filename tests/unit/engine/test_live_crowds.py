"""Who enters or leaves a live crowd, by events and by time alone."""

from __future__ import annotations

from tests.engine_kit import BASE, DAY, HOUR, decisions, engine_of, events, rules, run
from tests.unit.engine.live_user import User

METRICS = (
    "warmth: {decay: {points: {page: 1, demo: 10, order: amount / 10}, half_life: 14d}}\n"
    "orders_1d: {count: order, window: 1d}\n"
)
CROWDS = "warm: {where: metric.warmth >= 20}\nbusy: {where: metric.orders_1d >= 2}\n"
LEFT = "activity: gone\ntrigger: {event: crowd.left, as: gone, where: crowd == 'warm'}\ndata: {c: gone.crowd}\n"
ENTERED = "activity: came\ntrigger: {event: crowd.entered, where: crowd == 'warm'}\n"
SEEN = ("0s order amount=100", "7d order amount=50", "14d order amount=200")


def test_a_score_that_decays_below_a_threshold_leaves_at_that_moment() -> None:
    """The contract's numbers: 28.5355 on day 14 is below 20 after 7.1786 days."""
    found = run(rules(LEFT, ENTERED, metrics=METRICS, crowds=CROWDS), events(*SEEN))
    assert next((record.activity, record.at - BASE) for record in found) == ("came", 14 * DAY)
    (gone,) = [record for record in found if record.activity == "gone"]
    assert round((gone.at - BASE) / DAY - 14, 4) == 7.1786
    assert gone.data == {"c": "warm"}


def test_the_job_has_a_timer_for_it_and_what_comes_meanwhile_moves_it() -> None:
    user = User(engine_of(rules(LEFT, metrics=METRICS, crowds=CROWDS)))
    user.take("0s order amount=200", "0s", 1)
    first = user.engine.next_timer("u1", user.state)
    assert first == BASE + 1  # 20 points are fewer a moment later
    assert len(user.wait("2s")) == 1
    user.take("1h order amount=300", "1h", 2)
    user.wait("2h")
    until = user.state.crowds_until
    assert until > first
    assert user.engine.on_time("u1", user.state, until - 1) == []
    assert user.engine.next_timer("u1", user.state) == until
    assert len(user.engine.on_time("u1", user.state, until)) == 1


def test_what_slides_out_of_a_window_leaves_too() -> None:
    left = LEFT.replace("'warm'", "'busy'")
    found = run(rules(left, metrics=METRICS, crowds=CROWDS), events("0s order amount=1", "1h order amount=1"))
    (gone,) = found
    assert 63 / 64 * DAY - HOUR <= gone.at - BASE <= DAY


def test_a_rule_that_is_new_finds_nobody_entering() -> None:
    before, after = (
        rules(*some, metrics=METRICS, crowds=CROWDS)
        for some in (("activity: x\ntrigger: {event: page, where: metric.warmth > 99}\n",), (ENTERED,))
    )
    engine = engine_of(before)
    user = User(engine)
    user.take("0s order amount=500", "1s", 1)
    later = engine_of(after)
    user.engine = later
    assert user.take("1h page", "2h", 2) == []
    assert user.state.crowds == {"warm": True}


def test_an_absence_hears_of_it() -> None:
    steps = "[{event: crowd.entered, where: crowd == 'warm'}, {absent: crowd.left, within: 1d}]"
    quiet = f"activity: a\ntrigger: {{pattern: {steps}}}\n"
    assert decisions(rules(quiet, metrics=METRICS, crowds=CROWDS), events("0s order amount=500")) == ["1d a match"]
    assert decisions(rules(quiet, metrics=METRICS, crowds=CROWDS), events("0s order amount=201")) == []


def test_where_nobody_listens_nothing_is_remembered() -> None:
    user = User(
        engine_of(
            rules('activity: a\ntrigger: {event: page, where: in_crowd("warm")}\n', metrics=METRICS, crowds=CROWDS)
        )
    )
    user.take("0s order amount=500", "1h", 1)
    assert user.state.crowds == {}
