"""One person's story: what she did, what was decided and what became of it, and why, as the engine explains it."""

from __future__ import annotations

import msgspec

from kairos.adapters.warehouse.port import Engine
from kairos.engine.rule.journey import journey_of
from kairos.usecases.people.past import MOST, Past, events_of, people_of
from kairos.usecases.people.places import Places
from kairos.usecases.rules.explain import Explained, explain


class Moment(msgspec.Struct, frozen=True):
    """`at`: epoch ms. `kind`: event | decision | receipt. `what`: the type, outcome or status. `more`: a reason, a
    channel, the id of an event."""

    at: int
    kind: str
    what: str
    activity: str = ""
    more: str = ""


class Timeline(msgspec.Struct, frozen=True):
    """`moments`: the newest first. `story` None: the warehouse has no events of her. It is played for her alone: where
    somebody else used up a budget, the decision that was made (in `moments`) counts. `cut`: there is more."""

    moments: list[Moment]
    story: Explained | None
    cut: bool


def timeline(places: Places, user_id: str, activity: str | None = None) -> Timeline:
    """`activity`: only this one is told, of a journey with its parts. Raises NotThereError and KairosError."""
    with places.engine_about(user_id) as engine:
        if engine is None:
            return Timeline([], None, False)
        events = events_of(engine, user_id)
        decided = _decisions(engine, user_id)
        received = _receipts(engine, user_id)
        past = Past(events, people_of(places, engine, user_id, whole=True)) if events else None
    known, cut = [*decided, *received], MOST in (len(events), len(decided), len(received))
    if activity is not None:
        known = [moment for moment in known if activity in (moment.activity, journey_of(moment.activity))]
    moments = [Moment(event.time, "event", event.type, "", event.id) for event in events] + known
    story = None
    if past is not None:
        story = explain(places.rules, past, past.people, user_id, activity)
    return Timeline(sorted(moments, key=lambda moment: moment.at, reverse=True), story, cut)


def _decisions(engine: Engine, user: str) -> list[Moment]:
    sql = f"""SELECT at_ms, outcome, activity, coalesce(reason, channel, '') FROM decisions
              WHERE user_id = $user AND NOT shadow ORDER BY at_ms DESC, activity, outcome LIMIT {MOST}"""
    return [Moment(at, "decision", *rest) for at, *rest in engine.query(sql, {"user": user}).rows]


def _receipts(engine: Engine, user: str) -> list[Moment]:
    sql = f"""SELECT time_ms, status, activity, coalesce(reason, channel, '') FROM receipts
              WHERE user_id = $user ORDER BY time_ms DESC, activity, status LIMIT {MOST}"""
    return [Moment(at, "receipt", *rest) for at, *rest in engine.query(sql, {"user": user}).rows]
