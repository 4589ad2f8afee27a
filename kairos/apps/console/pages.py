"""Templates, and what each of them may call: texts, times with their zone, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from kairos.apps.console.commands import placed
from kairos.apps.console.texts import Texts
from kairos.apps.console.words import say_in
from kairos.apps.page.definitions import FIELDS, KINDS
from kairos.apps.page.numbers import count, percent, points
from kairos.engine.journey.draw import STYLE

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Pico's arrows are images in its own style sheet: `data:`."""

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


class Pages:
    def __init__(self) -> None:
        self._known = Environment(
            loader=PackageLoader("kairos.apps.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._known.globals |= {"t": _text, "when": _when, "meaning": _meaning, "meant": _meant}
        self._known.filters |= {"count": count, "percent": percent, "points": points, "said": _said, "placed": _placed}

    def make_ready(self) -> None:
        """Reads every template, which the first page of each kind would wait for."""
        for name in self._known.list_templates():
            self._known.get_template(name)

    def page(self, name: str, texts: Texts, values: Mapping[str, Any]) -> str:
        """`name`: of the template. `values` with `zone`, the name of the zone that times are told in."""
        return self._known.get_template(f"{name}.html").render(texts=texts, **values)


def assets() -> dict[str, tuple[bytes, str]]:
    """Name -> content and its media type: what stands in the folder assets, and how pictures of measures and of
    journeys look."""
    folders = (files("kairos.apps.console").joinpath("assets"), files("kairos.apps.page"))
    found = {
        file.name: (file.read_bytes(), _TYPES[kind])
        for folder in folders
        for file in folder.iterdir()
        if (kind := file.name.rpartition(".")[2]) in _TYPES
    }
    return {**found, "journey.css": (STYLE.encode(), _TYPES["css"])}


@pass_context
def _text(context: Context, key: str, **values: Any) -> str:
    text: str = context["texts"][key]
    return text.format(**values) if values else text


@pass_context
def _said(context: Context, text: str) -> str:
    """What a measure says, in the language of the page."""
    return say_in(context["lang"])(text)


@pass_context
def _placed(context: Context, command: str) -> str:
    return placed(command, **context["places"])


@pass_context
def _when(context: Context, at: int | None, *, zone: bool = True) -> str:
    """Epoch ms as a time of the zone of the page, with the zone's name."""
    if at is None:
        return "–"
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(context["zone"]))
    return f"{local:%Y-%m-%d %H:%M:%S}" + (f" {context['zone']}" if zone else "")


def _meaning(key: str) -> str:
    """Of a kind of measure, or of a column of its tables."""
    return KINDS[key] if key in KINDS else FIELDS[key]


def _meant(sections: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the heads of these panels lead to, with the name of the first that does."""
    tables = [table for section in sections for table in section["panel"]["tables"]]
    heads = [head for table in tables for head in table["heads"] if head["means"]]
    return {head["means"]: head["name"] for head in reversed(heads)}
