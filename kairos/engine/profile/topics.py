"""What a user has said of topics: the field `consents` of the profile, and events `consent.changed`. It fails closed.

    consents: {news: {on: true, at: 1793620800000, by: link}}

`at` is when it was said, epoch ms or ISO 8601; `by` is where: an origin, for people. The newest word counts, of two of
one time the no. What cannot be read is a no that no earlier word outweighs; a yes without a time is older than any
other word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from kairos.engine.event import CONSENT_CHANGED, Event
from kairos.engine.iso_time import parse_time

FIELD = "consents"
EVENT, LINK, IMPORT = "event:", "link", "import"
"""Origins: an event of the source behind the colon; the link in a message; a table. Others are names of people."""
LAST = 2**62
"""When a no was said that has no time."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Topic(msgspec.Struct, frozen=True):
    """`opt_in`: out until they say yes. `opt_out`: in until they say no."""

    default: Literal["opt_in", "opt_out"]
    title: str = ""


class Word(msgspec.Struct, frozen=True, array_like=True):
    """What was said of a topic: yes or no, and when (epoch ms)."""

    on: bool
    at: int

    @property
    def order(self) -> tuple[int, bool]:
        return self.at, not self.on


class ConsentChange(msgspec.Struct, frozen=True):
    """What a user says of one topic. `by`: through what, such as `event:shop`."""

    user_id: str
    topic: str
    word: Word
    by: str


def agrees(topic: Topic, *words: Word | None) -> bool:
    """Whether a user of whom this is known is in it."""
    said = [word for word in words if word is not None]
    return max(said, key=lambda word: word.order).on if said else topic.default == "opt_out"


def word_of(profile: Mapping[str, Any] | None, topic: str) -> Word | None:
    """None: the profile has no word of it."""
    consents = profile.get(FIELD) if profile is not None else None
    if consents is None:
        return None
    if not isinstance(consents, Mapping):
        return Word(False, LAST)
    return None if consents.get(topic) is None else read_word(consents[topic])


def has_refused(profile: Mapping[str, Any], since: int) -> bool:
    """Whether the user has said no to some topic since then (epoch ms)."""
    consents = profile.get(FIELD)
    words = map(read_word, consents.values()) if isinstance(consents, Mapping) else ()
    return any(not word.on and since <= word.at < LAST for word in words)


def read_word(value: Any) -> Word:
    """`true`, `{on: true, at: ...}`; what is neither is a no."""
    at = value.get("at") if isinstance(value, Mapping) else None
    time = parse_time(at) if isinstance(at, str) else at
    on = said(value.get("on") if isinstance(value, Mapping) else value)
    if on:
        return Word(True, time if isinstance(time, int) else 0)
    return Word(False, time if isinstance(time, int) and on is False else LAST)


def said(value: Any) -> bool | None:
    """None: nobody can read it."""
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None


def are_lost(profile: Mapping[str, Any]) -> bool:
    """Whether there is a word of this user on topics that nobody can read."""
    value = profile.get(FIELD)
    return value is not None and not isinstance(value, Mapping)


def problem_of_consents(value: Any) -> str:
    """What is wrong with the field; "": nothing."""
    if not isinstance(value, Mapping):
        return "an object is expected: topic -> {on: true, at: ...}"
    for topic, word in value.items():
        plain = word.get("on") if isinstance(word, Mapping) else word
        if not _NAME.fullmatch(topic) or said(plain) is None:
            return "a topic with on: true or on: false is expected"
    return ""


def change_of(event: Event) -> ConsentChange | None:
    """What an event `consent.changed` says; None: it is none, or names no topic. An `on` that is none is a no."""
    topic = event.props.get("topic")
    if event.type != CONSENT_CHANGED or not isinstance(topic, str) or not _NAME.fullmatch(topic):
        return None
    word = Word(said(event.props.get("on")) is True, event.time)
    return ConsentChange(event.user_id, topic, word, f"{EVENT}{event.source}")
