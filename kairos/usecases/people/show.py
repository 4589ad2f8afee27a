"""`kairos people show`: everything that is known of one person, and who said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from kairos.adapters.delivery.ledger_reader import NoLedgerError, open_ledger_reader
from kairos.adapters.profiles.person import ORIGINS
from kairos.adapters.warehouse.port import Engine
from kairos.engine.crowd.spec import Members
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.profile.consent import LISTS, is_listed, names_in
from kairos.engine.profile.fields import SCORE
from kairos.engine.score.spec import GRADES, Grades
from kairos.usecases.errors import NotThereError
from kairos.usecases.people.index import claims_of
from kairos.usecases.people.places import Places

LAST = 10
"""Decisions shown."""
_WAITING = ("reserved", "retry")
_CONSENT = ("unsubscribed", "consents", "dead_addresses")
_SHOWN_ELSEWHERE = frozenset({*_CONSENT, "crowds", "lists", "merged", ORIGINS})


class Fact(msgspec.Struct, frozen=True):
    """A field of the profile, or a membership. `origin`: who said so."""

    name: str
    value: Any
    origin: str


class Decided(msgspec.Struct, frozen=True):
    at: int
    activity: str
    outcome: str
    reason: str | None
    channel: str | None


class Waiting(msgspec.Struct, frozen=True):
    """A message that has not gone. `since`: epoch ms; `why`: what it waits for."""

    activity: str
    since: int
    why: str


@dataclass
class Person:
    """Empty: nobody knows. `grade` None: there are no grades, or no profile. `merged`: ids that she was known by
    before; `merged_into`: who she is now."""

    user_id: str
    identities: list[Fact] = field(default_factory=list)
    profile: list[Fact] = field(default_factory=list)
    crowds: list[Fact] = field(default_factory=list)
    lists: list[Fact] = field(default_factory=list)
    consents: list[Fact] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    grade: str | None = None
    pending: list[Waiting] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    merged_into: str | None = None


def show(places: Places, user_id: str) -> Person:
    """Raises NotThereError where nothing is known of this user, and KairosError."""
    person = Person(user_id)
    profile = places.profiles.profile(user_id) if places.profiles else None
    did_something = False
    with places.engine_about(user_id) as engine:
        if engine is not None:
            did_something = _of_warehouse(person, engine, places, known=profile is not None)
    if places.profiles is not None and profile is not None:
        _of_profile(person, profile, places.profiles.called)
        person.identities += [Fact(*identity.partition(":")[::2], "bound at the door")
                              for identity in places.profiles.identities(user_id)]  # fmt: skip
        _of_sets(person, places.profiles.sets(user_id))
        person.grade = grade_of(places.grades, profile)
    for name, crowd in places.rules.crowds.items():
        if isinstance(crowd, Members) and crowd.users is not None and user_id in crowd.users:
            person.crowds.append(Fact(name, True, "crowds.yaml"))
    person.pending += _in_ledger(places.ledger, user_id)
    facts = (profile, person.identities, person.decisions, person.profile, person.crowds, person.pending)
    if not (did_something or any(facts)):
        raise NotThereError(f"nothing is known of a user '{user_id}'; 'kairos people find' knows other names")
    return person


def grade_of(grades: Grades | None, profile: Mapping[str, Any] | None) -> str | None:
    if grades is None or profile is None:
        return None
    fits = (grade for grade, rule in grades.rules.items() if parse(rule).predicate()(Facts(profile=profile)))
    return next(fits, GRADES[-1])


def _of_profile(person: Person, profile: Mapping[str, Any], place: str) -> None:
    origins = profile.get(ORIGINS)
    said = origins if isinstance(origins, dict) else {}
    for name, value in sorted(profile.items()):
        origin = str(said.get(name, place))
        if name.startswith(SCORE) and isinstance(value, int | float):
            person.scores[name.removeprefix(SCORE)] = value
        elif name in _CONSENT:
            person.consents.append(Fact(name, value, origin))
        elif name not in _SHOWN_ELSEWHERE and name != "merged_into":
            person.profile.append(Fact(name, value, origin))
    person.crowds += [Fact(name, True, place) for name in profile.get("crowds") or () if isinstance(name, str)]
    person.lists += [Fact(name, True, place) for name in LISTS if is_listed(profile, name)]
    if profile.get("lists") is not None and names_in("lists", profile["lists"]) is None:
        person.lists.append(Fact("unreadable", profile["lists"], place))
    merged = profile.get("merged")
    person.merged = [str(user) for user in merged.get("from", ())] if isinstance(merged, dict) else []
    person.merged_into = profile.get("merged_into")


def _of_sets(person: Person, names: list[str]) -> None:
    for name in names:
        kind, _, plain = name.partition(":")
        target = person.lists if kind == "list" else person.crowds
        target.append(Fact(plain, True, "kairos list"))


# -------------------------------------------------------------------------------------------------------- warehouse
def _of_warehouse(person: Person, engine: Engine, places: Places, *, known: bool) -> bool:
    """Whether it has an event of her."""
    user = {"user": person.user_id}
    if not known:
        answer = engine.query("SELECT * FROM profiles WHERE user_id = $user", user)
        for row in answer.rows:
            fields = {n: v for n, v in zip(answer.columns, row, strict=True) if n != "user_id" and v is not None}
            _of_profile(person, fields, "the warehouse, addresses hashed")
            person.grade = grade_of(places.grades, fields)
    person.identities += _claims(engine, places, user)
    kept = "SELECT DISTINCT crowd FROM crowd_members WHERE user_id = $user AND to_n IS NULL ORDER BY crowd"
    person.crowds += [Fact(crowd, True, "kept in the warehouse") for (crowd,) in engine.query(kept, user).rows]
    scores = engine.query("SELECT score, value FROM scores WHERE user_id = $user ORDER BY score", user).rows
    person.scores |= dict(scores)
    last = (
        "SELECT at_ms, activity, outcome, reason, channel FROM decisions WHERE user_id = $user AND NOT shadow "
        f"ORDER BY at_ms DESC, activity LIMIT {LAST}"
    )
    person.decisions = [Decided(*row) for row in engine.query(last, user).rows]
    person.pending += [Waiting(*row) for row in engine.query(_HELD, user).rows]
    return bool(engine.query("SELECT 1 FROM events WHERE user_id = $user LIMIT 1", user).rows)


_HELD = """
SELECT h.activity, h.at_ms, 'held: ' || coalesce(h.reason, '') FROM decisions h
WHERE h.user_id = $user AND h.outcome = 'hold' AND NOT h.shadow AND NOT EXISTS (
  SELECT 1 FROM decisions d WHERE d.user_id = $user AND d.activity = h.activity AND d.occurrence = h.occurrence
  AND d.outcome <> 'hold' AND NOT d.shadow)
ORDER BY h.at_ms"""


def _claims(engine: Engine, places: Places, user: Mapping[str, str]) -> Iterator[Fact]:
    """Devices and accounts that her events name."""
    for name in claims_of(places.rules):
        value = f"kairos_text(kairos_json(props, {quoted(f'$.{name}')}))"
        sql = f"SELECT {value}, max(time_ms) FROM events WHERE user_id = $user AND {value} <> '' GROUP BY 1 ORDER BY 1"
        for claim, seen in engine.query(sql, user).rows:
            yield Fact(name, claim, f"events, last {day_of(seen)}")


def _in_ledger(address: str | None, user_id: str) -> Iterator[Waiting]:
    if address is None:
        return
    with suppress(NoLedgerError), open_ledger_reader(address) as ledger:
        for row in ledger.rows_of(user_id):
            if row.state in _WAITING:
                yield Waiting(row.activity, row.reserved_at, f"{row.channel}: {row.state}")


def day_of(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
