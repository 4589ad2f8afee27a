"""Gate 2, beside the black list: nobody gets what is of a topic that they are not in, whatever the white list says."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.profile.port import Degraded
from kairos.engine.profile.topics import agrees, word_of


def consent(q: Question) -> Verdict | None:
    """Without a profile, where there should be one, nobody knows what the user has said."""
    name = q.activity.spec.topic
    if name is None:
        return None
    topic = q.program.rules.topics.get(name)
    if topic is None or isinstance(q.profile, Degraded):
        return suppress("consent")
    said = agrees(topic, q.instant.facts.consents.get(name), word_of(q.profile, name))
    return None if said else suppress("consent")
