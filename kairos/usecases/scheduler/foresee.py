"""What schedules will do: the slots to come, and whom one of them would reach. Nothing is sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation, as_if_live
from kairos.engine.profile.address import reachable
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import Activity, RuleSet, Schedule
from kairos.engine.rule.reads.needs import Needs
from kairos.engine.rule.reads.needs import needs_of as needs_of_program
from kairos.engine.rule.release import Release, activity_version
from kairos.engine.rule.text.report import nearest
from kairos.engine.schedule.calendar import Slot, slots
from kairos.engine.schedule.due import due_event
from kairos.engine.schedule.people import Profile, member
from kairos.engine.schedule.played import ON_TIME
from kairos.errors import KairosError
from kairos.usecases.scheduler.needs import needs_of
from kairos.usecases.scheduler.ports import People

_OUTCOMES = ("send", "hold", "suppress", "control", "match")
LONGEST = 400 * 86_400_000
"""So far (ms) it is looked for the next slot of a user."""


class NotScheduledError(KairosError):
    """There is no such activity, or no calendar begins it."""


class SlotToCome(msgspec.Struct, frozen=True):
    """`slot` in local time; for so many `users` it comes from `first` to `last` (epoch ms)."""

    activity: str
    slot: str
    first: int
    last: int
    users: int


class Counted(msgspec.Struct, frozen=True):
    """Of everyone's next slot. `matched`: people for whom it comes. `reachable`: channel of `send` -> those whom it
    reaches. `sent` by channel; `held` and `stopped` by reason, `control`: what would become of each of them.

    `live`: the crowd hangs on what users do, so only the job knows who is in it; it was taken as empty of deeds.
    """

    activity: str
    matched: int
    reachable: dict[str, int]
    sent: dict[str, int]
    held: dict[str, int]
    stopped: dict[str, int]
    control: int
    live: bool


def slots_to_come(
    rules: RuleSet, people: People, now: int, until: int, activity: str | None = None
) -> list[SlotToCome]:
    """Those in (now, until], in the order of their first instant. Raises NotScheduledError, PeopleAwayError."""
    names = [activity] if activity is not None else sorted(rules.activities)
    scheduled = [one for name in names if (one := _scheduled(rules, name, needed=activity is not None)) is not None]
    on = [one for one in scheduled if one.state in ON_TIME]
    users: Counter[tuple[str, str]] = Counter()
    times: dict[tuple[str, str], tuple[int, int]] = {}
    for each in _due_by_crowds(rules, on, people, now + 1, until):
        key, at = (each.activity.name, each.slot.name), each.slot.at
        users[key] += 1
        first, last = times.get(key, (at, at))
        times[key] = (min(first, at), max(last, at))
    found = [SlotToCome(*key, *times[key], number) for key, number in users.items()]
    return sorted(found, key=lambda slot: (slot.first, slot.activity, slot.slot))


class Due(NamedTuple):
    """The slot of an activity that comes for a user."""

    user_id: str
    profile: Profile
    activity: Activity
    slot: Slot


def due(
    rules: RuleSet, activities: Sequence[Activity], people: People, needs: Needs, first: int, last: int,
    most: int | None = None,
) -> Iterator[Due]:  # fmt: skip
    """The slots in [first, last] (epoch ms) of these activities, one user after the other: everyone is gone through
    once. `needs`: of profiles. `most`: so many slots of each user and activity are looked at. Raises
    PeopleAwayError."""
    if not activities:
        return
    zone = ZoneInfo(rules.policy.timezone)
    asked = [(activity, _schedule(activity), member(_schedule(activity).crowd, rules)) for activity in activities]
    for user, profile in people.everyone(needs):
        for activity, schedule, is_asked in asked:
            for slot in islice(slots(schedule, profile, zone, first, last), most):
                if is_asked(user, profile, slot.at):
                    yield Due(user, profile, activity, slot)


def count(rules: RuleSet, name: str, people: People, now: int) -> Counted:
    """Raises NotScheduledError, PeopleAwayError."""
    activity = _scheduled(rules, name, needed=True)
    assert activity is not None
    alone = _alone(rules, name)
    profiles: dict[str, Profile] = {}
    events: list[Event] = []
    needs = everything(alone, [activity])
    for user, profile, _, slot in due(rules, [activity], people, needs, now, now + LONGEST, most=1):
        profiles[user] = profile
        events.append(due_event(name, slot.name, user, slot.at))
    return _tally(alone, activity, profiles, events)


def kept_asked(rules: RuleSet, name: str) -> frozenset[str]:
    """The kept crowds that an activity of a calendar asks, whose members are snapshots. Raises NotScheduledError."""
    activity = _scheduled(rules, name, needed=True)
    assert activity is not None
    return everything(_alone(rules, name), [activity]).kept


def blasts_in(before: RuleSet | None, after: RuleSet) -> list[str]:
    """The activities that a change would send out at a time of their own: those that are new, other, or go live."""
    found = []
    for name, activity in after.activities.items():
        known = before.activities.get(name) if before is not None else None
        if activity.schedule is not None and activity.schedule.kind == "at" and activity.state == "live":
            same = known is not None and known.state == "live" and activity_version(known) == activity_version(activity)
            found += [] if same else [name]
    return found


def reached(rules: RuleSet, names: Iterable[str], people: People, now: int) -> dict[str, int]:
    """Activity of a calendar -> people for whom its next slot comes, however many follow; 0 for what is switched off.
    Raises PeopleAwayError."""
    wanted = [rules.activities[name] for name in names]
    on = [activity for activity in wanted if activity.state in ON_TIME]
    found = {activity.name: 0 for activity in wanted}
    for each in _due_by_crowds(rules, on, people, now + 1, now + LONGEST, most=1):
        found[each.activity.name] += 1
    return found


def _tally(alone: RuleSet, activity: Activity, profiles: dict[str, Profile], due: list[Event]) -> Counted:
    simulation = Simulation(alone, profiles)
    decided: dict[str, Counter[str]] = {outcome: Counter() for outcome in _OUTCOMES}
    seen: set[str] = set()
    for record in simulation.run(due, first=0, last=0):
        if record.user_id not in seen and record.outcome in decided:
            seen.add(record.user_id)
            decided[record.outcome][record.channel or record.reason or ""] += 1
    channels = list(dict.fromkeys(send.channel for send in _sends(activity)))
    return Counted(
        activity.name,
        len(due),
        {c: sum(reachable(p, c, True, activity.service) for p in profiles.values()) for c in channels},
        dict(decided["send"] + decided["match"]),
        dict(decided["hold"]),
        dict(decided["suppress"]),
        decided["control"].total(),
        "in_crowd(" in str(activity.pattern.steps[0].where),
    )


def _sends(activity: Activity) -> Iterable[Any]:
    return [*activity.send, *(send for variant in activity.variants for send in variant.send)]


def _scheduled(rules: RuleSet, name: str, *, needed: bool) -> Activity | None:
    activity = rules.activities.get(name)
    if activity is not None and activity.schedule is not None:
        return activity
    if not needed:
        return None
    if activity is None:
        hint = nearest(name, rules.activities)
        raise NotScheduledError(f"there is no activity {name} in these rules" + (f"; {hint}" if hint else ""))
    raise NotScheduledError(
        f"'{name}' is begun by events, not by a calendar: slots and counts are of `trigger: {{schedule: ...}}`; "
        "`kairos simulate` plays what events begin"
    )


def _schedule(activity: Activity) -> Schedule:
    assert activity.schedule is not None
    return activity.schedule


def _due_by_crowds(
    rules: RuleSet, activities: Iterable[Activity], people: People, first: int, last: int, most: int | None = None
) -> Iterator[Due]:
    """Who is known hangs on the crowds that are asked for: everyone is gone through once for each set of these."""
    alike: defaultdict[tuple[frozenset[str], frozenset[str]], list[Activity]] = defaultdict(list)
    for activity in activities:
        needs = needs_of(_schedule(activity), rules)
        alike[needs.crowds, needs.kept].append(activity)
    for group in alike.values():
        asked = reduce(or_, (needs_of(_schedule(activity), rules) for activity in group))
        yield from due(rules, group, people, asked, first, last, most)


def _alone(rules: RuleSet, name: str) -> RuleSet:
    kept = {
        part: msgspec.structs.replace(activity, state="live")
        for part, activity in rules.activities.items()
        if journey_of(part) == name
    }
    journeys = {key: journey for key, journey in rules.journeys.items() if key == name}
    return msgspec.structs.replace(rules, activities=kept, journeys=journeys)


def everything(rules: RuleSet, scheduled: Iterable[Activity]) -> Needs:
    """What these activities ask of people, were they live, and what their schedules do."""
    names = {activity.name for activity in scheduled}
    parts = {name: each for name, each in rules.activities.items() if journey_of(name) in names}
    alone = msgspec.structs.replace(rules, activities=parts)
    program = compile_release(Release(1, as_if_live(alone)), max_runs=1)
    found = needs_of_program(program)
    for name in sorted(names):
        found |= needs_of(_schedule(rules.activities[name]), rules)
    return found
