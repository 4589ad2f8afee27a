"""People, measures, crowds, channels: what one looks at, and the pace of channels."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kairos.adapters.delivery.controls import Control as ChannelControl
from kairos.adapters.rules.parsed import parsed, read_kept
from kairos.adapters.settings.delivery import load as load_delivery
from kairos.adapters.settings.people import load as load_people
from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.apps.api.endpoint import Call, Endpoint, Parts
from kairos.engine.channel import ADDRESSES
from kairos.engine.profile.personal import mask
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control.activities import rules_of
from kairos.usecases.control.deeds import note, person_subject
from kairos.usecases.crowds import look
from kairos.usecases.crowds.places import Places as CrowdPlaces
from kairos.usecases.errors import NotThereError
from kairos.usecases.operation import channels
from kairos.usecases.operation.channels import ChannelState
from kairos.usecases.people.places import Places, places_of
from kairos.usecases.people.show import Fact, Person, show
from kairos.usecases.results.measure import Wanted, measure, questions


class MeasureView(msgspec.Struct):
    """`rows` have the fields that docs/measurement.md names for their kind; `sql`: what was asked."""

    measure: str
    kind: str
    as_of: int
    by: str | None
    rows: list[dict[str, Any]]
    notes: list[str]
    sql: list[str]


class Pause(msgspec.Struct, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(max_length=1_000)] = ""


class Rate(msgspec.Struct, forbid_unknown_fields=True):
    """Calls a second over all workers; null: as fast as they come."""

    limit: Annotated[float, Meta(gt=0, lt=1_000_000)] | None = None


class Empty(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing is said."""


def _person(parts: Parts, call: Call) -> Person:
    return person(parts, call, people(parts))


def people(parts: Parts) -> Places:
    return places_of(load_people(parts.conf), rules_of(parts.store), loaded(parts).grades)


def person(parts: Parts, call: Call, places: Places) -> Person:
    """Addresses show their last two characters; to see them whole is a right of its own, and an entry of the log."""
    whole = call.query.get("whole") == "true"
    if whole:
        call.actor.need("unmask")
    found = show(places, call.path["user"])
    if whole:
        note(parts.store, call.actor, "unmask", person_subject(call.path["user"]), call.now)
        return found
    hidden = [_masked(fact) for fact in found.identities]
    shown = [_masked(fact) if fact.name in ADDRESSES else fact for fact in found.profile]
    return replace(found, identities=hidden, profile=shown)


def _masked(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, value=mask(fact.value))


def _measures(parts: Parts, call: Call) -> list[str]:
    """Their names."""
    with closing(open_engine(warehouse_of(parts))) as engine:
        asked = questions(engine, rules_of(parts.store), loaded(parts).measures, Wanted(()))
        return [question.name for question in asked]


def _measure(parts: Parts, call: Call) -> list[MeasureView]:
    wanted = Wanted((call.path["name"].replace(":", "/"),), by=call.query.get("by"))
    found = measure(warehouse_of(parts), rules_of(parts.store), loaded(parts).measures, wanted, DUCKDB)
    return [MeasureView(a.measure, a.kind, a.as_of, a.by, [dict(row) for row in a.rows], a.notes, a.sql) for a in found]


def _crowd_places(parts: Parts) -> CrowdPlaces:
    return CrowdPlaces(warehouse_of(parts), rules_of(parts.store), loaded(parts).measures)


def _pause(parts: Parts, call: Call) -> ChannelControl:
    conf = load_delivery(parts.conf)
    return channels.pause(conf, call.path["name"], call.body.reason, call.actor, call.now)


def _resume(parts: Parts, call: Call) -> ChannelControl:
    return channels.resume(load_delivery(parts.conf), call.path["name"], call.actor, call.now)


def _rate(parts: Parts, call: Call) -> ChannelControl:
    return channels.set_rate(load_delivery(parts.conf), call.path["name"], call.body.limit, call.actor, call.now)


def warehouse_of(parts: Parts) -> Path:
    if parts.warehouse is None or not parts.warehouse.is_dir():
        raise NotThereError("the configuration names no warehouse.folder, or nothing is in it yet")
    return parts.warehouse


def loaded(parts: Parts) -> Loaded:
    """What stands beside the rules, and is no part of a release: measures and grades."""
    return parsed(read_kept(parts.rules)) if parts.rules.is_dir() else Loaded(RuleSet())


ENDPOINTS = (
    Endpoint("GET", "/people/{user}", "All that is known of a person, what waits for her, and the last decisions.",
             _person, Person, query={"whole": "`true`: addresses unmasked; it takes the right, and is logged"}),
    Endpoint("GET", "/measures", "Names of all that can be measured.", _measures, list[str]),
    Endpoint("GET", "/measures/{name}", "One of them; `:` stands for the `/` in its name, as in `lift:cart_left`.",
             _measure, list[MeasureView], query={"by": "a row for each variant, channel, week and so on"}),
    Endpoint("GET", "/crowds", "Every kept crowd: its newest snapshot, its age, when the next is due.",
             lambda parts, call: look.standings(_crowd_places(parts), call.now), list[look.Standing]),
    Endpoint("GET", "/crowds/{name}", "One of them: growth, overlap, what its members have in common.",
             lambda parts, call: look.portrait(_crowd_places(parts), call.path["name"], call.now), look.Portrait),
    Endpoint("GET", "/channels", "Every channel: provider, workers, rate, whether it is paused and why.",
             lambda parts, call: channels.channels(load_delivery(parts.conf), call.now), list[ChannelState]),
    Endpoint("POST", "/channels/{name}/pause", "Let nothing go out on a channel.", _pause, ChannelControl, Pause,
             right="limit"),
    Endpoint("POST", "/channels/{name}/resume", "Let it go on.", _resume, ChannelControl, Empty, right="limit"),
    Endpoint("PUT", "/channels/{name}/rate", "How many calls a second go to its provider.", _rate, ChannelControl,
             Rate, right="limit"),
)  # fmt: skip
