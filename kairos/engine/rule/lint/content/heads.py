"""Heads of templates: headers that the channel does not know, and what looks like a head and is none."""

from __future__ import annotations

from kairos.engine.channel import CHANNELS
from kairos.engine.rule.content.template_place import TemplatePlaces
from kairos.engine.rule.form.sketch import BEGUN
from kairos.engine.rule.text.head import Header, first_header, split_head
from kairos.engine.rule.text.report import listed, nearest


def check_head(key: str, places: TemplatePlaces) -> None:
    """Warnings only. `key`: a template that a send names."""
    channel = CHANNELS.get(key.rpartition(".")[2])
    if channel is None or (known := channel.headers) is None:
        return
    text = places.texts[key]
    headers = split_head(text).headers
    seen: dict[str, Header] = {}
    for header in headers:
        if header.name not in known:
            _unknown(key, header, list(known), places)
        elif header.name in seen:
            message = f"'{header.name}' stands in the head twice: the first one counts"
            places.warning(key, header.at, "template-header", message, "keep one of them")
        seen.setdefault(header.name, header)
    if not headers and (first := first_header(text)) and first.name in known:
        message = f"'{first.name}' looks like a header, but is sent as text: this is no head"
        hint = "every line up to the first empty one is `Name: value`, and the text begins after it"
        places.warning(key, first.at, "template-header", message, hint)
    elif "subject" in known and _empty(seen.get("subject")):
        hint = "begin with `Subject: ...` and an empty line"
        places.warning(key, 0, "no-subject", "the mail has no subject", hint)


def check_begun(key: str, places: TemplatePlaces) -> None:
    """That somebody has written what `kairos new` cannot know. `key`: a template of what is no draft any more."""
    at = places.texts[key].find(BEGUN)
    if at >= 0:
        message = "this is the text that `kairos new` begins with, and people would get it"
        places.warning(key, at, "text-begun", message, "write what it says")


def _unknown(key: str, header: Header, known: list[str], places: TemplatePlaces) -> None:
    message = f"'{header.name}' is no header of this channel: it is not part of the text, and not sent"
    hint = nearest(header.name, known) or f"headers: {listed(known, 'and')}; an empty line before it makes it text"
    places.warning(key, header.at, "template-header", message, hint)


def _empty(header: Header | None) -> bool:
    return header is None or header.start == header.end
