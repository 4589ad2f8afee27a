"""`kairos people merge`: two ids are one person. What she refused under either, and was sent under either, counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kairos.adapters.profiles.person import ORIGINS, People
from kairos.adapters.search.entries import claim_entry
from kairos.adapters.warehouse.port import Engine
from kairos.engine.profile.merged import FIELD, Merged, Sent, merged_in, plain
from kairos.engine.profile.united import merged as united
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control.deeds import person_subject, write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.people.places import Places
from kairos.usecases.people.show import day_of

WHITE = "list:white"
CLOSED = {"unsubscribed": ["all"], "lists": ["black"]}
"""What is left of a profile whose person goes by another id: nobody is written to under the old one."""


@dataclass(frozen=True)
class Done:
    """`identities` lead to her new id now; `sends` of the old one count for caps and `once`."""

    identities: int
    sends: int


def merge(places: Places, user_id: str, other: str, actor: Actor, now: int) -> Done:
    """`other` becomes `user_id`; said again it is complete. `now`: epoch ms. Raises NotAllowedError, AskError,
    NotThereError and KairosError."""
    actor.need("write")
    if places.profiles is None:
        raise NotThereError("the configuration names no profiles; what two ids have in common is written there")
    people = places.profiles
    one, two = people.profile(user_id), people.profile(other)
    _check(user_id, other, one, two, people)
    had = merged_in(one)
    with places.engine() as engine:
        sends = _sends(engine, places.rules, other)
    profile = united(one or {}, {k: v for k, v in (two or {}).items() if k not in (ORIGINS, "merged_into")})
    profile[FIELD] = plain(_merged(had, merged_in(two), other, sends))
    told = f"merged with {other} {day_of(now)} by {actor.name}"
    origins = (one or {}).get(ORIGINS) or {}
    profile[ORIGINS] = {**{name: told for name in profile if name not in (one or {})}, **origins, FIELD: told}
    for user in (user_id, other):
        write_people(places.log, actor, "merge_people", person_subject(user), now)
    people.put(user_id, profile)
    people.join(user_id, [name for name in people.sets(other) if name != WHITE])
    identities = people.rebind(other, user_id)
    people.put(other, {"merged_into": user_id, **CLOSED})
    if places.search is not None:
        with places.store() as store:
            store.put([claim_entry(user_id, "merged", other)])
    return Done(identities, len(sends))


def _check(user_id: str, other: str, one: object, two: object, people: People) -> None:
    if user_id == other:
        raise AskError(f"'{user_id}' and '{other}' are the same already")
    for user, profile in ((user_id, one), (other, two)):
        into = profile.get("merged_into") if isinstance(profile, dict) else None
        if into is not None and into != user_id:
            raise AskError(f"'{user}' was merged into '{into}'; merge with that one")
    if one is None and two is None and not people.identities(other):
        raise NotThereError(f"nothing is known of '{user_id}' nor of '{other}' in {people.place}")


def _merged(had: Merged, others: Merged, other: str, sends: Iterable[tuple[str, Sent]]) -> Merged:
    ids = tuple(dict.fromkeys([*had.ids, *others.ids, other]))
    once: dict[str, int] = {**had.once}
    for activity, at in [*others.once.items(), *((activity, sent.at) for activity, sent in sends)]:
        once[activity] = max(at, once.get(activity, at))
    counted = dict.fromkeys([*had.sends, *others.sends, *(sent for _, sent in sends if sent.caps)])
    return Merged(ids, once, tuple(sorted(counted)))


def _sends(engine: Engine | None, rules: RuleSet, user_id: str) -> list[tuple[str, Sent]]:
    """(activity, send): of each activity the last one, and those that a cap may still count."""
    if engine is None:
        return []
    longest = max((rule.per for cap in rules.policy.caps.values() for rule in cap.rules), default=0)
    sql = (
        "WITH sent AS (SELECT activity, at_ms, occurrence, channel, max(at_ms) OVER (PARTITION BY activity) AS last, "
        "max(at_ms) OVER () AS newest FROM decisions WHERE user_id = $user AND outcome IN ('send', 'match') "
        "AND NOT shadow) "
        f"SELECT activity, at_ms, occurrence, coalesce(channel, '') FROM sent WHERE at_ms = last "
        f"OR at_ms > newest - {longest} ORDER BY at_ms, activity"
    )
    found = []
    for activity, at, occurrence, channel in engine.query(sql, {"user": user_id}).rows:
        known = rules.activities.get(activity)
        caps = tuple(known.limits.counts_toward) if known is not None and channel else ()
        found.append((activity, Sent(at, occurrence, channel, caps)))
    return found
