"""The first version of an activity: its file, its example and its text, from a few answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kairos.engine.channel import CHANNELS
from kairos.engine.rule.model import Source
from kairos.engine.rule.text.scalars import parse_duration, spell_duration

SAMPLES = {
    "string": "x1", "number": "10", "integer": "1", "boolean": "true", "time": "2026-01-01T12:00:00Z",
    "date": "2026-01-01", "list": "[]", "object": "{}",
}  # fmt: skip
"""Type of a prop -> a value of it, as YAML."""
BEGUN = "Write here what it says."
"""The text that somebody has to write anew."""


@dataclass(frozen=True)
class Answers:
    """`event` begins it; `unless`: what must not happen within `within` (a duration) after that, "": nothing."""

    name: str
    theme: str
    event: str
    channel: str
    unless: str = ""
    within: str = "1h"


def sketch(answers: Answers, sources: Mapping[str, Source] | None) -> dict[str, str]:
    """Path in the rule folder -> content. `sources`: whose required props the example gives."""
    folder = f"activities/{answers.theme}"
    return {
        f"{folder}/{answers.name}.yaml": _activity(answers),
        f"{folder}/{answers.name}.test.yaml": _examples(answers, sources or {}),
        f"templates/{answers.name}.{answers.channel}.liquid": f"{_head(answers)}{BEGUN}\n",
    }


def _title(answers: Answers) -> str:
    return answers.name.replace("_", " ").capitalize()


def _head(answers: Answers) -> str:
    channel = CHANNELS.get(answers.channel)
    return f"Subject: {_title(answers)}\n\n" if channel is not None and "subject" in (channel.headers or ()) else ""


def _activity(answers: Answers) -> str:
    if answers.unless:
        trigger = (
            f"trigger:\n  pattern:\n    - {{event: {answers.event}}}\n    - absent: {answers.unless}\n"
            f"  within: {answers.within}\n"
        )
    else:
        trigger = f"trigger: {{event: {answers.event}}}\n"
    return (
        f"activity: {answers.name}\ntitle: {_title(answers)}\n"
        "state: draft                    # live, once its examples say what you mean\n\n"
        f"{trigger}\nlimits: {{once: 7d}}             # nobody twice within a week\n\n"
        f"send:\n  - {{channel: {answers.channel}, template: {answers.name}}}\n{_goal(answers)}"
    )


def _goal(answers: Answers) -> str:
    """Whoever has what did not come has what it is for."""
    if not answers.unless:
        return ""
    why = "# what it is for; an `audience: {control_group: 10%}` lets you tell what it brought"
    return f"\ngoal: {{event: {answers.unless}, within: 7d}}   {why}\n"


def _examples(answers: Answers, sources: Mapping[str, Source]) -> str:
    began = _event(answers.event, sources)
    sent = f"[{{at: {_waited(answers)}, outcome: send, channel: {answers.channel}}}]"
    tests = f"tests:\n  - name: the message\n    events:\n      - {{at: 0s, {began}}}\n    expect: {sent}\n"
    if answers.unless:
        stopped = _event(answers.unless, sources)
        tests += (
            f"  - name: {answers.unless} in time\n    events:\n      - {{at: 0s, {began}}}\n"
            f"      - {{at: 1s, {stopped}}}\n    expect: []\n"
        )
    return tests


def _waited(answers: Answers) -> str:
    return spell_duration(parse_duration(answers.within) or 0) if answers.unless else "0s"


def required_props(type_: str, sources: Mapping[str, Source]) -> dict[str, str]:
    """What an event of this type cannot do without: prop -> a value of it, as YAML."""
    schema = next((source.events[type_] for source in sources.values() if type_ in source.events), None)
    return {name: SAMPLES[schema.props[name]] for name in schema.required} if schema else {}


def _event(type_: str, sources: Mapping[str, Source]) -> str:
    props = {"user_id": "u1", **required_props(type_, sources)}
    given = ", ".join([f"{name}: {value}" for name, value in props.items()])
    return f"{type_}: {{{given}}}"
