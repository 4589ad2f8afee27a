"""Liquid templates: which values they take, and what is wrong with them. Rendering is the delivery worker's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from liquid import BoundTemplate, CachingDictLoader, Environment
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral, TernaryFilteredExpression
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from kairos.engine.rule.text.liquid_guard import hopeless
from kairos.engine.rule.text.report import nearest

MAX_LOOP_TURNS = 1_000
MAX_RENDERS = 1_000
ROOTS = ("profile", "material")

_PRINTING = {"OutputNode", "EchoNode", "AssignNode", "RenderNode", "CycleNode"}


class _Environment(Environment):
    loop_iteration_limit = MAX_LOOP_TURNS


@dataclass(frozen=True)
class Variable:
    """A value that a template takes from outside: `order_id`, `profile.x`, `material.x`.

    `required`: it is printed, with no `default` and outside of any condition on it, so a missing value would leave a
    hole. It stands `offset` characters into the text of `template` (a key of the templates, maybe a partial's).
    """

    name: str
    required: bool
    template: str
    offset: int


@dataclass(frozen=True)
class TemplateProblem:
    """`offset` characters into the template's text."""

    offset: int
    code: str
    message: str
    hint: str | None = None


@dataclass
class TemplateFacts:
    """What is known of one template. `problems` are its own, `variables` and `renders` also those of its partials.

    With problems, the variables are incomplete.
    """

    variables: list[Variable] = field(default_factory=list)
    problems: list[TemplateProblem] = field(default_factory=list)
    renders: set[str] = field(default_factory=set)


class Templates:
    """All templates of a folder, by "name.channel" (partials by name); `render` looks nowhere else."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._hopeless = {key: found for key, text in texts.items() if (found := hopeless(text)) is not None}
        self._environment = _Environment(loader=CachingDictLoader(dict(texts), capacity=len(texts) + 1))

    def facts(self, key: str) -> TemplateFacts:
        """Raises KeyError where there is no such template."""
        facts, text = TemplateFacts(), self._texts[key]
        if (found := self._hopeless.get(key)) is not None:
            facts.problems.append(TemplateProblem(found.offset, "template-syntax", found.message))
            return facts
        try:
            template = self._environment.from_string(text, name=key)
        except LiquidError as error:
            at = error.token.start_index if error.token is not None else -1
            offset = at if at >= 0 else len(text.rstrip())
            facts.problems.append(TemplateProblem(offset, "template-syntax", f"not valid Liquid: {error.args[0]}"))
            return facts
        except RecursionError:
            facts.problems.append(TemplateProblem(0, "template-depth", "the template is nested too deep"))
            return facts
        if self._hopeless:
            return facts  # `render` might parse it
        with suppress(LiquidError, RecursionError):  # of a partial, which has its own facts
            _Inspector(self._environment, self._texts, template, facts).inspect()
        return facts


class _Inspector:
    """One walk over the syntax tree, partials included."""

    def __init__(
        self, environment: Environment, known: Mapping[str, str], template: BoundTemplate, facts: TemplateFacts
    ) -> None:
        self.environment = environment
        self.known = known
        self.template = template
        self.facts = facts
        self.rendered = 0

    def inspect(self) -> None:
        self._check_partials(self.template.nodes)
        if self.facts.problems:
            return
        analysis = self.template.analyze(include_partials=True)
        self._check_filters(analysis.filters)
        outside = {(v.span.template_name, v.span.index): v for found in analysis.globals.values() for v in found}
        printed = set(self._printed(self.template, frozenset(), ()))
        for (template, index), variable in sorted(outside.items(), key=lambda item: item[0]):
            self._variable(template, index, variable.segments, (template, index) in printed)

    def _problem(self, template: str, offset: int, code: str, message: str, hint: str | None = None) -> None:
        if template == self.template.name:
            self.facts.problems.append(TemplateProblem(offset, code, message, hint))

    def _check_partials(self, nodes: Iterable[Node]) -> None:
        """`render` of a name in quotes that exists; no `include`."""
        for node in nodes:
            if isinstance(node, IncludeNode):
                message = "'include' is not available: it shares its variables, so that they cannot be checked"
                self._problem(self.template.name, node.token.start_index, "template-include", message, "use render")
            elif isinstance(node, RenderNode):
                self._check_partial(node)
            else:
                self._check_partials(node.children(_NO_CONTEXT, include_partials=False))

    def _check_partial(self, node: RenderNode) -> None:
        at = node.name.token.start_index
        if not isinstance(node.name, StringLiteral):
            message = f"render: expected the name of a template in quotes, found {node.name}"
            self._problem(self.template.name, at, "template-missing", message, f"render '{node.name}'")
        elif node.name.value not in self.known:
            message = f"there is no template '{node.name.value}' to render: it is looked up in templates/ only"
            self._problem(self.template.name, at, "template-missing", message)

    def _variable(self, template: str, index: int, segments: list[Any], printed: bool) -> None:
        root = str(segments[0])
        if root not in ROOTS:
            self.facts.variables.append(Variable(root, printed, template, index))
        elif len(segments) > 1 and isinstance(segments[1], str):
            self.facts.variables.append(Variable(f"{root}.{segments[1]}", printed, template, index))
        else:
            message = f"'{root}' is read field by field, each by its name: {root}.name"
            self._problem(template, index, "template-variable", message)

    def _check_filters(self, filters: Mapping[str, list[Any]]) -> None:
        known = sorted(self.environment.filters)
        for name, spans in filters.items():
            for span in spans if name not in known else ():
                message = f"unknown filter '{name}'"
                self._problem(span.template_name, span.index, "template-filter", message, nearest(name, known))

    def _printed(
        self, template: BoundTemplate, guarded: frozenset[str], above: tuple[str, ...]
    ) -> Iterator[tuple[str, int]]:
        """(template, index) of each path whose missing value would leave a hole."""
        for node in template.nodes:
            yield from self._printed_by(node, template, guarded, (*above, template.name))

    def _printed_by(
        self, node: Node, template: BoundTemplate, guarded: frozenset[str], above: tuple[str, ...]
    ) -> Iterator[tuple[str, int]]:
        expressions = list(node.expressions())
        if type(node).__name__ in _PRINTING:
            for path in (path for expression in expressions for path in _bare_paths(expression)):
                if str(path) not in guarded:
                    yield template.name, path.token.start_index
        else:
            self._check_range(template, expressions)
            guarded |= {str(path) for expression in expressions for path in _paths(expression)}
        if isinstance(node, RenderNode):
            yield from self._rendered(node, template, guarded, above)
            return
        for child in node.children(_NO_CONTEXT, include_partials=False):
            yield from self._printed_by(child, template, guarded, above)

    def _rendered(
        self, node: RenderNode, template: BoundTemplate, guarded: frozenset[str], above: tuple[str, ...]
    ) -> Iterator[tuple[str, int]]:
        name = str(node.name).strip("'\"")
        self.facts.renders.add(name)
        if name in above:
            message = f"'{name}' renders itself without end"
            self._problem(template.name, node.token.start_index, "template-cycle", message)
            return
        self.rendered += 1
        if self.rendered == MAX_RENDERS + 1:
            message = f"renders more than {MAX_RENDERS:,} templates, one inside the other"
            self.facts.problems.append(TemplateProblem(0, "template-renders", message))
        if self.rendered <= MAX_RENDERS:
            yield from self._printed(self.environment.get_template(name), guarded, above)

    def _check_range(self, template: BoundTemplate, expressions: list[Expression]) -> None:
        """A loop over a written-out range has a known number of turns."""
        for expression in expressions:
            iterable = getattr(expression, "iterable", None)
            start, stop = getattr(iterable, "start", None), getattr(iterable, "stop", None)
            first, last = getattr(start, "value", None), getattr(stop, "value", None)
            if isinstance(first, int) and isinstance(last, int) and last - first >= MAX_LOOP_TURNS:
                message = f"a loop of {last - first + 1:,} turns: at most {MAX_LOOP_TURNS:,} are allowed"
                at = iterable.token.start_index if iterable is not None else 0
                self._problem(template.name, at, "template-loop", message)


_NO_CONTEXT: Any = None  # the built-in tags use the context only to find partials, which is done here


def _paths(expression: Expression) -> Iterator[Path]:
    if isinstance(expression, Path):
        yield expression
    for child in expression.children():
        yield from _paths(child)


def _bare_paths(expression: Expression) -> Iterator[Path]:
    """The paths of an expression that have no `default` to fall back on."""
    filters = expression.filters if isinstance(expression, FilteredExpression) else None
    if any(f.name == "default" for f in filters or ()):
        return
    if isinstance(expression, TernaryFilteredExpression):
        return
    if isinstance(expression, Path):
        yield expression
    for child in expression.children():
        yield from _bare_paths(child)


def template_variables(texts: Mapping[str, str], template: str, channel: str) -> tuple[str, ...]:
    """Every name that the template reads, in order: what a delivery must carry (names of `data`, `profile.x`, ...)."""
    return tuple(dict.fromkeys(v.name for v in _variables(texts, template, channel)))


def required_variables(texts: Mapping[str, str], template: str, channel: str) -> tuple[str, ...]:
    """Those without which the message would have a hole."""
    return tuple(dict.fromkeys(v.name for v in _variables(texts, template, channel) if v.required))


def _variables(texts: Mapping[str, str], template: str, channel: str) -> list[Variable]:
    key = f"{template}.{channel}"
    return Templates(texts).facts(key).variables if key in texts else []
