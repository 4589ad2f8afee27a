"""A message to many at one time: its activity and its text, from answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kairos.engine.rule.text.quoted import as_yaml


@dataclass(frozen=True)
class Blast:
    """Everything as rule files spell it; "" is left out. `crowd` "": everyone known. `template` "": one of this
    name, which says `text`. `timezone` "": each user's own. `waves`: with commas. `goal`: an event type."""

    name: str
    theme: str
    channel: str
    at: str
    title: str = ""
    owner: str = ""
    topic: str = ""
    crowd: str = ""
    control: str = ""
    goal: str = ""
    goal_within: str = ""
    template: str = ""
    text: str = ""
    timezone: str = ""
    late: str = ""
    rate: str = ""
    waves: str = ""
    every: str = ""
    stop_failed: str = ""
    stop_unsubscribed: str = ""
    until: str = ""


def blast_files(blast: Blast) -> dict[str, str]:
    """Path in the rule folder -> content, the activity first. It is live: to publish it is to send it."""
    files = {f"activities/{blast.theme}/{blast.name}.yaml": "\n".join(_lines(blast)) + "\n"}
    if not blast.template:
        files[f"templates/{blast.name}.{blast.channel}.liquid"] = blast.text.rstrip("\n") + "\n"
    return files


def _lines(blast: Blast) -> Iterator[str]:
    yield f"activity: {_word(blast.name)}"
    for name in ("title", "owner", "topic"):
        if said := getattr(blast, name):
            yield f"{name}: {_word(said)}"
    yield "state: live"
    yield "trigger:"
    yield f"  schedule: {_mapping(at=blast.at, timezone=blast.timezone, late=blast.late)}"
    if blast.crowd:
        yield f"  crowd: {_word(blast.crowd)}"
    if pace := _pace(blast):
        yield f"pace: {pace}"
    if blast.control:
        yield f"audience: {_mapping(control_group=blast.control)}"
    if blast.goal:
        yield f"goal: {_mapping(event=blast.goal, within=blast.goal_within)}"
    yield f"send: [{_mapping(channel=blast.channel, template=blast.template or blast.name)}]"


def _pace(blast: Blast) -> str:
    waves = [_word(share.strip()) for share in blast.waves.split(",") if share.strip()]
    parts = {"rate": _word(blast.rate), "waves": f"[{', '.join(waves)}]" if waves else ""}
    parts |= {"every": _word(blast.every)}
    parts["stop_if"] = _mapping(failed=blast.stop_failed, unsubscribed=blast.stop_unsubscribed)
    parts["until"] = _word(blast.until)
    told = [f"{name}: {said}" for name, said in parts.items() if said not in ("", "{}")]
    return f"{{{', '.join(told)}}}" if told else ""


def _mapping(**said: str) -> str:
    return "{" + ", ".join(f"{name}: {_word(text)}" for name, text in said.items() if text) + "}"


def _word(text: str) -> str:
    return as_yaml(text) if text else ""
