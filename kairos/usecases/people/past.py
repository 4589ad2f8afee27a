"""What one user did, as the warehouse has it, and her profile: what the engine plays to tell of her."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from kairos.adapters.profiles.file import Profiles
from kairos.adapters.warehouse.port import Engine
from kairos.engine.event import Event
from kairos.engine.profile.personal import masked_profile
from kairos.usecases.people.places import Places

MOST = 500
"""Of her newest events, decisions and receipts each."""


@dataclass(frozen=True)
class Past:
    """`all`: her events, in the order of time. `people`: her profile by her id, as simulations take it: empty where
    nobody has one of her, who then is reached nowhere; None: this configuration has no profiles."""

    all: Sequence[Event]
    people: Profiles | None
    name: str = "the warehouse"

    def duplicate(self, index: int) -> None:
        """The warehouse has none."""


def past_of(places: Places, user: str, whole: bool) -> Past:
    """`whole`: with her addresses as they are; else masked. Raises KairosError."""
    with places.engine_about(user) as engine:
        events = [] if engine is None else events_of(engine, user)
    people = people_of(places, user)
    masked = people and {user: masked_profile(profile) for user, profile in people.items()}
    return Past(events, people if whole else masked)


def events_of(engine: Engine, user: str) -> list[Event]:
    """In the order of time."""
    sql = f"""SELECT id, type, time_ms, source, props FROM events WHERE user_id = $user
              ORDER BY time_ms DESC, source, type, id LIMIT {MOST}"""
    rows = engine.query(sql, {"user": user}).rows
    return [
        Event(i, kind, at, source, json.loads(props or "{}"), user) for i, kind, at, source, props in reversed(rows)
    ]


def people_of(places: Places, user: str) -> Profiles | None:
    """Her profile by her id, as `Past` has it."""
    if places.profiles is None:
        return None
    profile = places.profiles.profile(user)
    return {user: dict(profile)} if profile else {}
