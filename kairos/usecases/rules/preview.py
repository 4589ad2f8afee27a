"""`kairos preview`: what an activity would say to one user, with addresses and texts, and what is in the way."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import msgspec

from kairos.engine.iso_time import LAST_TIME
from kairos.engine.play.preview import Asked, preview, preview_example
from kairos.engine.play.simulate import Simulation, UserProfiles
from kairos.engine.profile.port import History
from kairos.engine.rule.compiled_journey import messages_of
from kairos.engine.rule.content.rendering import Content
from kairos.engine.rule.examples import TestFile
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.text.report import nearest
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.events import Given
from kairos.usecases.rules.lint import need_activity


class Previewed(msgspec.Struct, frozen=True):
    """`origin`: where the values come from, in words. `asked`: the gates' answer and every message; None: they never
    were asked, because the trigger is never complete."""

    activity: str
    title: str
    user: str
    origin: str
    asked: Asked | None

    @property
    def complete(self) -> bool:
        """Whether the user gets something, and every message for this user has all its values."""
        asked = self.asked
        if asked is None or not asked.sends:
            return False
        return all(isinstance(entry.content, Content) for entry in asked.entries if entry.own)


def speaking_activities(rules: RuleSet, name: str, place: str) -> list[Activity]:
    """This one, or all messages of this journey, in the order of its file.

    Raises NotThereError, and AskError where it has nothing to say.
    """
    spec = need_activity(rules, name, place)
    if (journey := rules.journeys.get(name)) is not None:
        return [rules.activities[journey.part(key)] for key in messages_of(journey)]
    if not spec.send and not spec.variants:
        raise AskError(f"{name} is a watch: without `send` it has nothing to say")
    return [spec]


def preview_of_events(
    rules: RuleSet, spec: Activity, user: str, given: Given, people: UserProfiles | None
) -> Previewed:
    """By the last message that the events lead to. Raises NotThereError where nobody knows the user."""
    if people is None or user not in people:
        known = {event.user_id for event in given.all}
        _must_be_known(user, known, {*(people or ())}, f"no event in {given.name}")
    asked = preview(
        lambda observer: Simulation(rules, people, observer=observer, on_duplicate=given.duplicate),
        spec.name, user, given.all,
    )  # fmt: skip
    return Previewed(spec.name, spec.title, user, f"in {given.name}", asked)


def preview_of_examples(
    rules: RuleSet, spec: Activity, user: str, examples: TestFile | None, people: UserProfiles | None
) -> Previewed:
    """By the activity's first example that sends, with this user in the place of its own. Raises NotThereError."""
    if people is not None:
        _must_be_known(user, {*people}, set(), "no profile")
    if examples is None:
        raise NotThereError(f"{spec.name} has no examples to take values from; give it one, or --events")
    profiles = None if people is None else {name: _as_now(people, name) for name in people}
    found = preview_example(rules, examples, spec.name, user, profiles)
    origin, asked = (f"as in the example '{found[0].name}'", found[1]) if found else ("in the examples", None)
    return Previewed(spec.name, spec.title, user, origin, asked)


def _as_now(people: UserProfiles, user: str) -> dict[str, Any]:
    """An example is of no time of hers: she is in the kept crowds that she is in now."""
    return dict((people.as_of(user, LAST_TIME) if isinstance(people, History) else people.get(user)) or {})


def preview_of_person(
    rules: RuleSet, spec: Activity, user: str, past: Given, people: UserProfiles | None, examples: TestFile | None
) -> Previewed:
    """By what the user did, `past`; where that does not come to a message, by an example, whose profile counts where
    the user has none. Raises NotThereError."""
    if past.all:
        found = preview_of_events(rules, spec, user, past, people)
        if found.asked is not None:
            return found
    return preview_of_examples(rules, spec, user, examples, people or None)


def _must_be_known(user: str, known: Set[str], others: Set[str], why: str) -> None:
    """Whoever is mistyped would look like somebody without addresses."""
    if user not in known:
        hint = nearest(user, sorted(known | others))
        raise NotThereError(f"nobody is known as {user}: {why}{f'; {hint}' if hint else ''}")
