"""`kairos consent`: what somebody says of a topic, written into the profile."""

from __future__ import annotations

import redis

from kairos.adapters.profiles.consents import UnreadableConsentsError, say
from kairos.adapters.profiles.lists import ListsAwayError
from kairos.adapters.profiles.redis import connect
from kairos.adapters.rules.store import last_good, open_rule_store
from kairos.adapters.settings.delivery import Conf
from kairos.adapters.settings.file import SettingsError
from kairos.engine.profile.topics import ConsentChange, Word
from kairos.engine.rule.text.report import listed, nearest
from kairos.usecases.control.deeds import person_subject, write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError


def set_consent(conf: Conf, user_id: str, topic: str, word: Word, actor: Actor) -> None:
    """The job heeds it within `profiles.ttl`, workers at once.

    Raises AskError where the newest release has no such topic, or nothing can be added to what stands in the profile;
    NotAllowedError, SettingsError, ListsAwayError, and what a rule store raises.
    """
    address = conf.profiles.redis
    if not address:
        raise SettingsError(f"{conf.place}: profiles.redis is missing; consent is kept there")
    _need_topic(conf, topic)
    try:
        with connect(address) as client:
            action = f"consent_{'on' if word.on else 'off'}"
            write_people(conf.rules.store, actor, action, f"{person_subject(user_id)}/{topic}", word.at)
            say(client, ConsentChange(user_id, topic, word, actor.name))
    except redis.RedisError as error:
        raise ListsAwayError(str(error)) from None
    except UnreadableConsentsError as error:
        raise AskError(str(error)) from None


def _need_topic(conf: Conf, topic: str) -> None:
    """A no to a topic that nobody knows would stop nothing."""
    release = last_good(open_rule_store(conf.rules.store))
    topics = release.rules.topics if release is not None else {}
    if topic not in topics:
        hint = nearest(topic, topics) or (f"there are {listed(sorted(topics), 'and')}" if topics else "it has none")
        raise AskError(f"the newest release has no topic '{topic}'; {hint}")
