"""Nothing sent to whoever had left its topic: calls that began after the no that the profile has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kairos.engine.profile.topics import EVENT, FIELD, LAST, word_of
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.checks.quiet_hours import calls_of
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.tell import clock
from kairos.usecases.results.audit.world import GRACE, World


def check(book: Book, world: World, result: Result) -> None:
    judged = 0
    for call, definition in calls_of(book, world, result):
        topic = definition.topic
        if topic is None:
            result.exempt["of activities without a topic"] += 1
            continue
        profile = world.profile(call.user_id)
        word = word_of(profile, topic)
        if word is not None and not word.on and _may_have_come_late(profile, topic):
            result.not_judged["calls to users whose no was an event, which may have come late"] += 1
            continue
        judged += 1
        if word is not None and not word.on and word.at < min(LAST, call.started_at - GRACE):
            what = f"{call.activity} for {call.user_id}: call {call.number} at {clock(call.started_at)}"
            result.add(f"{what}, who left {topic} at {clock(word.at)}", call.key)
    result.examined = {"calls": judged}


def _may_have_come_late(profile: Mapping[str, Any] | None, topic: str) -> bool:
    said = (profile or {}).get(FIELD)
    word = said.get(topic) if isinstance(said, Mapping) else None
    by = word.get("by") if isinstance(word, Mapping) else None
    return isinstance(by, str) and by.startswith(EVENT)
