"""What a user has said by events: kept in the state, because a profile may not know of it yet."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.event import Event
from kairos.engine.profile.topics import Topic, change_of
from kairos.engine.user.state import UserState


def hear(state: UserState, event: Event, topics: Mapping[str, Topic]) -> None:
    """The newest word stays, in whatever order they come. Of topics that the rules do not have nothing is kept."""
    change = change_of(event)
    if change is None or change.topic not in topics:
        return
    known = state.consents.get(change.topic)
    if known is None or known.order < change.word.order:
        state.consents[change.topic] = change.word
