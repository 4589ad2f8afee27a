"""What one user did, as the warehouse has it, and her profile: what the engine plays to tell of her."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from kairos.adapters.warehouse.port import Engine
from kairos.engine.event import Event
from kairos.engine.play.simulate import UserProfiles
from kairos.engine.profile.personal import masked_profile
from kairos.usecases.people.places import Places
from kairos.usecases.rules.people_then import PeopleThen, crowds_then

MOST = 500
"""Of her newest events, decisions and receipts each."""


@dataclass(frozen=True)
class Past:
    """`all`: her events, in the order of time. `people`: her profile by her id, as simulations take it, with the kept
    crowds of then: empty where nobody knows her, who then is reached nowhere; None: this configuration has no
    profiles."""

    all: Sequence[Event]
    people: UserProfiles | None
    name: str = "the warehouse"

    def duplicate(self, index: int) -> None:
        """The warehouse has none."""


def past_of(places: Places, user: str, whole: bool) -> Past:
    """`whole`: with her addresses as they are; else masked. Raises KairosError."""
    with places.engine_about(user) as engine:
        events = [] if engine is None else events_of(engine, user)
        return Past(events, people_of(places, engine, user, whole))


def events_of(engine: Engine, user: str) -> list[Event]:
    """In the order of time."""
    sql = f"""SELECT id, type, time_ms, source, props FROM events WHERE user_id = $user
              ORDER BY time_ms DESC, source, type, id LIMIT {MOST}"""
    rows = engine.query(sql, {"user": user}).rows
    return [
        Event(i, kind, at, source, json.loads(props or "{}"), user) for i, kind, at, source, props in reversed(rows)
    ]


def people_of(places: Places, engine: Engine | None, user: str, whole: bool) -> UserProfiles | None:
    """Her profile by her id, as `Past` has it. `whole`: as in `past_of`."""
    if places.profiles is None:
        return None
    profile = dict(places.profiles.profile(user) or {})
    known = profile if whole else masked_profile(profile)
    if engine is None:
        return {user: known} if known else {}
    stays, snapshots = crowds_then(engine, "m.user_id = $user", {"user": user})
    return PeopleThen({user: known} if known or stays else {}, stays, snapshots)
