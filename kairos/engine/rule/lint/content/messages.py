"""Texts that will not look as they were meant: tags in a plain mail, an SMS that is many."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kairos.engine.rule.content.template_place import TemplatePlaces
from kairos.engine.rule.content.templates import body_of, is_html
from kairos.engine.rule.text.head import split_head
from kairos.engine.template.segments import segments

FEW_SEGMENTS = 2
_TAG = re.compile(
    r"</?(?:a|b|body|br|div|em|h[1-6]|head|html|i|img|li|ol|p|span|strong|style|table|td|tr|u|ul)(?=[\s/>])[^<>{}]{0,300}>",
    re.IGNORECASE,
)
_LIQUID = re.compile(r"\{%-?\s*comment\b.*?\bendcomment\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def check_messages(keys: Iterable[str], places: TemplatePlaces) -> None:
    """`keys`: of templates that are sent."""
    for key in keys:
        channel = key.rpartition(".")[2]
        if channel == "email":
            _check_html(key, places)
        elif channel == "sms":
            _check_length(key, places)


def _check_html(key: str, places: TemplatePlaces) -> None:
    body = body_of(places.texts[key])
    if not is_html(body) and (tag := _TAG.search(body)):
        message = f"this mail is plain text, so that {tag[0][:40]} would be seen, and values are not escaped"
        hint = "HTML begins with a tag: <html>, <body>, or <!doctype html>"
        places.warning(key, tag.start(), "html-as-text", message, hint)


def _check_length(key: str, places: TemplatePlaces) -> None:
    """What is written out: values make it longer yet."""
    text = places.texts[key]
    if "template_code" in {header.name for header in split_head(text).headers}:
        return
    written = _LIQUID.sub("", body_of(text)).strip()
    number = segments(written)
    if number > FEW_SEGMENTS:
        message = f"an SMS of at least {len(written)} characters is sent, and paid for, as {number} segments"
        places.report(key).at(1, 1, "warning", "long-sms", message, "shorten it, or put the rest behind a link")
