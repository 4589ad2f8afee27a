"""Message content: Liquid templates filled in with the values that a delivery carries, and with materials.

The gate `content` and whoever delivers make a message in the same way, so what the one lets pass the other can make.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from kairos.engine.catalog.items import Fields, Shelf
from kairos.engine.channel import CHANNELS
from kairos.engine.rule.content.needs import Needs, needs_of, speaks
from kairos.engine.rule.content.template_facts import TemplateProblem
from kairos.engine.rule.content.template_place import line_and_column
from kairos.engine.rule.content.templates import Templates, body_of, is_html
from kairos.engine.rule.model import Material, RuleSet
from kairos.engine.template.liquid import fill


class ContentError(Exception):
    """The message cannot be made; the message of the error names template and place."""


EXAMPLE_LINK = "https://shop.example/unsubscribe/..."
"""Where a message is only shown: the true link is made when it is sent."""


class Content(msgspec.Struct, frozen=True):
    """`headers`: the template's head, each value one line, empty ones left out; `text`: its body.

    `html`: the template is a page, and what was filled in is escaped.
    """

    headers: dict[str, str]
    text: str
    html: bool = False

    def head(self) -> list[str]:
        """The headers as a template writes them, for people: `Subject: ...`."""
        return [f"{name.title().replace('_', '-')}: {value}" for name, value in self.headers.items()]


SPEAKING = frozenset({"title", "template_id", "template_code"})
"""Headers that say something alone, so that a message with one may have no text."""


class Ready(msgspec.Struct, frozen=True):
    """A template that can be rendered. `needs`: where they are met, without a hole; None: nobody knows."""

    headers: dict[str, BoundTemplate]
    body: BoundTemplate
    html: bool
    needs: Needs | None


class Renderer:
    """Templates by "name.channel" (partials by name), materials by name and names of catalogs, as a `RuleSet` holds
    them.

    A release may come from elsewhere, so what lint refuses is refused here too. Each template is parsed once. Values
    are text and nothing else: in a mail that is HTML they are escaped, and where each line of the text is a parameter
    of a provider's own template they have one line.
    """

    def __init__(
        self,
        templates: Mapping[str, str],
        materials: Mapping[str, Material] | None = None,
        catalogs: Collection[str] = (),
    ) -> None:
        self._catalogs = frozenset(catalogs)
        self._texts = templates
        self._templates = Templates(templates)
        self._pages = Templates(templates, escaping=True)
        self._materials: dict[str, Any] = msgspec.to_builtins(dict(materials or {}))
        self._ready: dict[str, Ready] = {}

    def variables(self, template: str, channel: str) -> tuple[str, ...]:
        """Every name that the template reads, in order: what a delivery must carry (names of `data`, `profile.x`).

        Materials are not among them: whoever renders has them.
        """
        key = f"{template}.{channel}"
        found = self._templates.facts(key).variables if key in self._templates else []
        return tuple(dict.fromkeys(v.name for v in found if not v.name.startswith("material.")))

    def check(self, template: str, channel: str, values: Mapping[str, Any], zone: ZoneInfo | None) -> None:
        """Whether `render` makes a message of it. Raises ContentError as that does."""
        key = f"{template}.{channel}"
        needs = (self._ready.get(key) or self._prepare(key)).needs
        if needs is None or not needs.are_met(values):
            self.render(template, channel, values, zone)

    def render(
        self,
        template: str | None,
        channel: str,
        values: Mapping[str, Any],
        zone: ZoneInfo | None = None,
        unsubscribe_url: str | None = EXAMPLE_LINK,
    ) -> Content:
        """Headers and text, without holes. Without a template the values themselves, as JSON. Raises ContentError.

        What is called as a catalog has its items: a `Shelf`, or text of the key -> fields. A key such as "profile.name"
        is what `{{ profile.name }}` reads. `zone`: the reader's, for the filter `local`.
        `unsubscribe_url` null: there is none to give, and a text that prints it has a hole.
        """
        if template is None:
            return Content({}, msgspec.json.encode(values, order="sorted").decode())
        key = f"{template}.{channel}"
        ready = self._ready.get(key) or self._prepare(key)
        only_parameters = channel in CHANNELS and CHANNELS[channel].parameters
        shelves = {name: values[name] for name in self._catalogs & values.keys()}
        plain = {name: value for name, value in values.items() if name not in shelves}
        tree = _nested(_flat(plain) if only_parameters else plain) | {"material": self._materials}
        tree |= {name: _shelf(items, only_parameters) for name, items in shelves.items()}
        tree["unsubscribe_url"] = unsubscribe_url
        gaps: list[str] = []
        headers = {name: _one_line(self._fill(key, value, tree, zone, gaps)) for name, value in ready.headers.items()}
        text = self._fill(key, ready.body, tree, zone, gaps).strip()
        if gaps:
            raise ContentError(f"{_path(key)}: no value for {', '.join(dict.fromkeys(gaps))}")
        headers = {name: value for name, value in headers.items() if value}
        if not text and SPEAKING.isdisjoint(headers):
            raise ContentError(f"{_path(key)}: the text is empty")
        return Content(headers, text, ready.html)

    def _prepare(self, key: str) -> Ready:
        if key not in self._templates:
            raise ContentError(f"{_path(key)}: there is no such template")
        facts = self._templates.facts(key)
        for problem in facts.problems:
            raise self._refusal(key, problem)
        for partial in sorted(facts.renders):
            for problem in self._templates.facts(partial).problems:
                raise self._refusal(partial, problem)
        headers, body = self._templates.headers(key), self._templates.parsed(key)
        html = key.endswith(".email") and is_html(body_of(self._texts[key]))
        if html:
            body = self._pages.parsed(key)
        parsed = {name: value for name, value in headers.items() if isinstance(value, BoundTemplate)}
        assert isinstance(body, BoundTemplate), key  # what cannot be parsed is a problem
        parts = [part.nodes for part in (*parsed.values(), body)]
        needs = needs_of(parts, self._materials) if speaks(body.nodes) else None
        self._ready[key] = Ready(parsed, body, html, needs)
        return self._ready[key]

    def _refusal(self, key: str, problem: TemplateProblem) -> ContentError:
        line, column = line_and_column(self._texts[key], problem.offset)
        return ContentError(f"{_path(key)}:{line}:{column}: {problem.message}")

    def _fill(
        self, key: str, part: BoundTemplate, tree: Mapping[str, Any], zone: ZoneInfo | None, gaps: list[str]
    ) -> str:
        try:
            text, found = fill(part, tree, zone)
        except LiquidError as error:
            raise ContentError(f"{self._place(key, error)}: {error.args[0]}") from error
        except Exception as error:  # filters of the library let others through for odd values
            raise ContentError(f"{_path(key)}: {type(error).__name__}: {error}") from error
        gaps += found
        return text

    def _place(self, key: str, error: LiquidError) -> str:
        """Of the template that it went wrong in: a partial, where the token is of its text."""
        token = error.token
        if token is None or token.start_index < 0:
            return _path(key)
        partials = [str(error.template_name), *sorted(self._templates.facts(key).renders)]
        known = (name for name in partials if name in self._texts)
        name = next((name for name in known if body_of(self._texts[name]) == token.source), key)
        line, column = line_and_column(self._texts[name], token.start_index)
        return f"{_path(name)}:{line}:{column}"


def renderer_of(rules: RuleSet) -> Renderer:
    return Renderer(rules.templates, rules.materials, rules.catalogs)


def _path(key: str) -> str:
    return f"templates/{key}.liquid"


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """{"a": 1, "profile.x": 2} -> {"a": 1, "profile": {"x": 2}}."""
    tree: dict[str, Any] = {path: value for path, value in values.items() if not path.startswith("profile.")}
    profile = {path.partition(".")[2]: value for path, value in values.items() if path.startswith("profile.")}
    return tree | {"profile": profile}


def _shelf(items: Shelf | Mapping[str, Fields], flat: bool) -> Shelf:
    look: Callable[[str], Fields | None] = items.look if isinstance(items, Shelf) else items.get
    return Shelf(lambda text: _flat(look(text))) if flat else Shelf(look)


def _flat(value: Any) -> Any:
    """Without line ends, also in what is inside: one value is one line."""
    if isinstance(value, str):
        return " ".join(line for line in value.splitlines() if line.strip())
    if isinstance(value, list | tuple):
        return [_flat(item) for item in value]
    return {key: _flat(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _one_line(text: str) -> str:
    """Whatever a value brings along: no line ends, tabs or other controls in a header."""
    return " ".join(text.translate(_BLANKS).split())


_BLANKS = dict.fromkeys([*range(32), *range(127, 160)], " ")
