"""Writing in the rule folder: a file, and beside it its form and what lint says of it as one types."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup

from kairos.apps.api.endpoint import Call
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.engine.channel import CHANNELS
from kairos.engine.rule.form.sketch import Answers
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control.activities import rules_of
from kairos.usecases.errors import AskError
from kairos.usecases.rules import draft, writing
from kairos.usecases.rules.draft import Draft
from kairos.usecases.rules.new_activity import begun
from kairos.usecases.rules.writing import Edit

MOST_FINDINGS = 100
NEEDED = ("name", "theme", "event", "channel")
BEGUN = (*NEEDED, "unless", "within")
"""What is asked of a new activity."""


def _values(parts: ConsoleParts, call: Call) -> Values:
    path = call.query["file"]
    values: dict[str, Any] = {
        "paths": draft.paths(parts.rules),
        "draft": None,
        "activity": "",
        "command": f"kairos lint {parts.rules}",
    }
    if not path:
        rules = rules_of(parts.store)
        channels = sorted({send.channel for each in rules.activities.values() for send in each.sends} | {*CHANNELS})
        names = {**writing.names_in(rules), "channel": channels, "theme": writing.themes_in(rules)}
        return {**values, "begins": names, "may_write": call.actor.may("write")}
    return {**values, **_desk(parts, call, draft.draft_of(parts.rules, path))}


def _looked(parts: ConsoleParts, call: Call) -> Values:
    """What stands beside the text, with what could be typed at `at`, an offset in characters."""
    at = call.body.get("at", "")
    return _desk(parts, call, _written(call.body), int(at) if at.isdecimal() and len(at) < 9 else None)


def _edited(parts: ConsoleParts, call: Call) -> Values:
    """The text after an edit in the form; as it was, and why, where it cannot be edited so."""
    written, said = _written(call.body), call.body
    try:
        edit = Edit(said.get("deed", ""), said.get("path", ""), said.get("value", ""))
        written = msgspec.structs.replace(written, text=writing.edited(written.path, written.text, edit))
        problem = ""
    except AskError as error:
        problem = str(error)
    return {**_desk(parts, call, written), "problem": problem}


def _desk(parts: ConsoleParts, call: Call, written: Draft, at: int | None = None) -> dict[str, Any]:
    """A text, and what is known of it. Names are those of the newest release where the folder has mistakes."""
    path, text = written.path, written.text
    found = draft.look_through(parts.rules, path, text, call.now)
    rules = found.rules if found.rules is not None else rules_of(parts.store)
    names, activity = writing.names_in(rules), _activity_in(rules, path)
    svg = writing.picture(found.rules, activity) if found.rules is not None else None
    return {
        "draft": written,
        **findings_of(found, path),
        "activity": activity,
        "form": writing.form(path, text),
        "names": names,
        "belonging": writing.belonging(path, rules),
        "picture": Markup(svg) if svg is not None else None,
        "completion": writing.completion(path, text, at, names) if at is not None else None,
        "may_write": call.actor.may("write"),
        "at_once": draft.runs_at_once(parts.rules, parts.store),
        "problem": "",
    }


def findings_of(loaded: Loaded, path: str) -> dict[str, Any]:
    """Those of this file first."""
    found = sorted(loaded.findings, key=lambda each: (each.file != path, each))
    more = max(len(found) - MOST_FINDINGS, 0)
    return {"findings": list(islice(found, MOST_FINDINGS)), "more": more, "path": path}


def _activity_in(rules: RuleSet, path: str) -> str:
    """The activity or journey of this file; empty: it has none."""
    name = PurePosixPath(path).stem.removesuffix(".test")
    return name if name in rules.activities else ""


def _save(parts: ConsoleParts, call: Call) -> str:
    written = _written(call.body)
    draft.save(parts.rules, parts.store, written, call.actor, call.now)
    return f"/write?{urlencode({'file': written.path})}"


def _begin(parts: ConsoleParts, call: Call) -> str:
    """An activity with its example and its text, as `kairos new` begins one."""
    said = {name: text for name in BEGUN if (text := call.body.get(name, "").strip())}
    made = begun(parts.rules, Answers(**{**dict.fromkeys(NEEDED, ""), **said}))
    draft.save_all(parts.rules, parts.store, made, call.actor, call.now)
    return f"/write?{urlencode({'file': next(iter(made))})}"


def _written(form: Mapping[str, str]) -> Draft:
    """A browser ends lines in its own way."""
    text = form.get("text", "").replace("\r\n", "\n")
    return Draft(form.get("file", ""), text, form.get("digest", ""))


SCREEN = Screen("/write", "write", _values, ("file",), menu=True)
LOOKED = Screen("/write/looked", "beside", _looked, right="write", posted=True)
EDITED = Screen("/write/edited", "desk", _edited, right="write", posted=True)
DEEDS = (Deed("/write", _save, "write"), Deed("/write/begin", _begin, "write"))
