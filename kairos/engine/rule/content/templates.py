"""The Liquid templates of a release: parsed once, and what each takes from outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from liquid import BoundTemplate, CachingDictLoader, Environment
from liquid.exceptions import LiquidError, TemplateNotFoundError
from liquid.loader import TemplateSource

from kairos.engine.rule.content.template_facts import TemplateFacts, TemplateProblem, inspect
from kairos.engine.rule.text.head import Head, only, split_head
from kairos.engine.rule.text.liquid_guard import hopeless
from kairos.engine.template.liquid import Liquid


class _Bodies(CachingDictLoader):
    """Templates without their heads, which are blank; one that is not worth parsing is not there."""

    def get_source(self, env: Environment, template_name: str, **_: object) -> TemplateSource:
        text = self.templates.get(template_name)
        if text is None or hopeless(text) is not None:
            raise TemplateNotFoundError(template_name)
        return TemplateSource(body_of(text), template_name, None)


_BEFORE = re.compile(r"\s+|<!--.*?-->|\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL)
_PAGE = re.compile(r"<(!doctype|html|head|body|table|center|div|p|h[1-6]|img|span|style)[\s>/]", re.IGNORECASE)


def is_html(text: str) -> bool:
    """Whether a mail's text is a page rather than plain text: it begins with a tag, comments aside."""
    start = 0
    while found := _BEFORE.match(text, start):
        start = found.end()
    return _PAGE.match(text, start) is not None


def body_of(text: str) -> str:
    """As it is parsed: with a blank head."""
    head = split_head(text)
    return only(text, head.end, len(text)) if head.headers else text


class Templates:
    """All templates of a folder, by "name.channel" (partials by name); `render` looks nowhere else.

    Headers and body are templates of their own, each parsed when it is first asked for. Parsed, all keep their places
    in the whole text: what surrounds them is blank. `escaping`: values are put in as they are written in HTML.
    """

    def __init__(self, texts: Mapping[str, str], escaping: bool = False) -> None:
        self._texts = texts
        self._environment = Liquid(loader=_Bodies(dict(texts), capacity=len(texts) + 1), autoescape=escaping)
        self._parsed: dict[str, BoundTemplate | TemplateProblem] = {}
        self._headers: dict[str, dict[str, BoundTemplate | TemplateProblem]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def head(self, key: str) -> Head:
        """Raises KeyError where there is no such template."""
        text = self._texts[key]
        return Head() if hopeless(text) else split_head(text)

    def parsed(self, key: str) -> BoundTemplate | TemplateProblem:
        """The body. Raises KeyError where there is no such template."""
        if key not in self._parsed:
            text = self._texts[key]
            self._parsed[key] = self._parse(text, text, lambda: self._environment.get_template(key))
        return self._parsed[key]

    def headers(self, key: str) -> dict[str, BoundTemplate | TemplateProblem]:
        """The values of the head, by name; of two with one name the first. Raises KeyError as `parsed` does."""
        if key not in self._headers:
            text, found = self._texts[key], self._headers.setdefault(key, {})
            for header in self.head(key).headers:
                value = only(text, header.start, header.end)
                parse = partial(self._environment.from_string, value, name=key)
                found.setdefault(header.name, self._parse(text, text[: header.end], parse))
        return self._headers[key]

    def _parse(self, text: str, upto: str, parse: Callable[[], BoundTemplate]) -> BoundTemplate | TemplateProblem:
        """`upto` ends where an error stands that has no place of its own."""
        if (found := hopeless(text)) is not None:
            return TemplateProblem(found.offset, "template-syntax", found.message)
        try:
            return parse()
        except LiquidError as error:
            at = error.token.start_index if error.token is not None else -1
            offset = at if 0 <= at <= len(upto) else len(upto.rstrip())
            return TemplateProblem(offset, "template-syntax", f"not valid Liquid: {error.args[0]}")
        except RecursionError:
            return TemplateProblem(0, "template-depth", "the template is nested too deep")

    def facts(self, key: str) -> TemplateFacts:
        """Of head and body together. Raises KeyError where there is no such template."""
        facts = TemplateFacts()
        for template in (*self.headers(key).values(), self.parsed(key)):
            if isinstance(template, TemplateProblem):
                facts.problems.append(template)
            else:
                inspect(self, template, facts)
        return facts
