"""Rules, events and decisions as a few words each, for tests of the engine.

Times count from BASE, Monday 2026-11-02T12:00Z. An event is `"10m order amount=80 user=u2 id=e7"`: type, then props as
JSON or plain text; `user` (u1), `id` (e1, e2, ... by place), `source` and `merged` are the envelope's. A decision is
told as `"10m nudge send sms"`: time, activity, outcome, then its reason or channel, `#2` from the second attempt on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kairos.engine.decision import Record
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation, as_if_live
from kairos.engine.profile.port import at_all_times
from kairos.engine.rule.compile import Program, compile_release
from kairos.engine.rule.load import load
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.moment import AwaitsReceipt

BASE = 1_793_620_800_000
UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
DAY, HOUR, MINUTE = UNITS["d"], UNITS["h"], UNITS["m"]
Profiles = Mapping[str, Mapping[str, Any]]


def rules(*activities: str, templates: Mapping[str, str] | None = None, **files: str) -> RuleSet:
    """A rule set without errors from YAML texts: activities and journeys, and `policy`, `metrics`, `crowds` by name.

    Template `t` exists for every channel and reads nothing.
    """
    folder = {f"{name}.yaml": text.encode() for name, text in files.items()}
    plain = {f"t.{channel}": "hi" for channel in ("sms", "email", "push", "wechat", "in_app")}
    folder |= {f"templates/{name}.liquid": text.encode() for name, text in (plain | dict(templates or {})).items()}
    for text in activities:
        named = re.search(r"^(activity|journey): (\w+)", text, re.MULTILINE)
        assert named, f"no name: {text}"
        place = "activities" if named[1] == "activity" else "journeys"
        folder[f"{place}/a/{named[2]}.yaml"] = text.encode()
    loaded = load(folder)
    errors = [finding for finding in loaded.findings if finding.level == "error"]
    assert loaded.rules is not None, errors
    return loaded.rules


def ms(text: str) -> int:
    """`1d2h`, `9m59s`, `-5m`: in ms."""
    sign = -1 if text.startswith("-") else 1
    parts = re.findall(r"(\d+)(ms|[dhms])", text)
    assert re.fullmatch(r"-?(\d+(ms|[dhms]))+", text), text
    return sign * sum(int(number) * UNITS[unit] for number, unit in parts)


def told_time(time: int) -> str:
    left, parts = abs(time), []
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if time < 0 else "") + "".join(parts) if parts else "0s"


def event(text: str, place: int = 1) -> Event:
    at, type_, *words = text.split(" ")
    props: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        props[name] = _value(value)
    envelope = {
        name: str(props.pop(name, default)) for name, default in (("user", "u1"), ("id", f"e{place}"), ("source", ""))
    }
    merged = bool(props.pop("merged", False))
    return Event(envelope["id"], type_, BASE + ms(at), envelope["source"], props, envelope["user"], merged)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def events(*texts: str) -> list[Event]:
    return [event(text, place) for place, text in enumerate(texts, 1)]


def receipt(text: str) -> Event:
    """`"1m nudge sent"`, `"1m nudge failed channel=sms attempt=1"`."""
    at, activity, status, *rest = text.split(" ")
    return event(" ".join([at, "receipt", f"activity={activity}", f"status={status}", "id=", *rest]))


def run(
    rule_set: RuleSet, given: Sequence[Event], profiles: Profiles | None = None, as_arrived: bool = False
) -> list[Record]:
    return list(Simulation(rule_set, profiles, as_arrived=as_arrived).run(given))


def tell(record: Record, users: bool = False) -> str:
    words = [told_time(record.at - BASE), record.activity, record.outcome]
    if record.outcome == "goal" and record.value is not None:
        words.append(str(record.value))
    words += [
        word for word in (record.reason, record.channel if record.outcome in ("send", "regret") else None) if word
    ]
    if record.attempt:
        words.append(f"#{record.attempt}")
    if users:
        words.append(record.user_id)
    return " ".join(words)


def decisions(
    rule_set: RuleSet, given: Iterable[Event], profiles: Profiles | None = None, users: bool = False
) -> list[str]:
    return [tell(record, users) for record in run(rule_set, list(given), profiles)]


def program_of(
    rule_set: RuleSet,
    number: int = 1,
    effective_at: int = 0,
    previous: Program | None = None,
    shadows: Mapping[str, Activity] | None = None,
    before: Mapping[str, Activity | None] | None = None,
) -> Program:
    release = Release(
        number, as_if_live(rule_set), effective_at, shadows=dict(shadows or {}), before=dict(before or {})
    )
    return compile_release(release, previous, max_runs=1_000)


def engine_of(
    rule_set: RuleSet,
    profiles: Profiles | None = None,
    settings: Settings | None = None,
    awaits_receipt: AwaitsReceipt | None = None,
    shadows: Mapping[str, Activity] | None = None,
    before: Mapping[str, Activity | None] | None = None,
) -> Engine:
    """An engine as the job has it: sends await their receipts."""
    find = None if profiles is None else at_all_times(profiles)
    engine = Engine(settings or Settings(), find, awaits_receipt=awaits_receipt)
    engine.adopt(program_of(rule_set, shadows=shadows, before=before))
    return engine
