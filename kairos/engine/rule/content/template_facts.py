"""What is known of a parsed template: the values it takes, what it renders, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral, TernaryFilteredExpression
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.expression import Expression

from kairos.engine.rule.text.report import nearest
from kairos.engine.template.liquid import MAX_LOOP_TURNS

MAX_RENDERS = 1_000
MAX_DEPTH = 20  # python-liquid gives up at 30 contexts, and blocks count too
_PATHS = {"profile": (2, "profile.name"), "material": (3, "material.spring_sale.image")}
ROOTS = tuple(_PATHS)
OWN = ("unsubscribe_url",)
"""What whoever sends the message puts in by itself: no `data` gives it, and none may have its name."""

_PRINTING = (OutputNode, AssignNode, RenderNode, CycleNode)


@dataclass(frozen=True)
class Variable:
    """A value that a template takes from outside: `order_id`, `profile.x`, `material.x.image`.

    `required`: it is printed, with no `default` and outside of any condition on it, so every send has to give it; what
    of it is there for one user, rendering finds out. It stands `offset` characters into the text of `template` (a key
    of the templates, maybe a partial's). `field`: of `name[key].field`, as items of a catalog are read.
    """

    name: str
    required: bool
    template: str
    offset: int
    field: str | None = None


@dataclass(frozen=True)
class TemplateProblem:
    """`offset` characters into the template's text."""

    offset: int
    code: str
    message: str
    hint: str | None = None


@dataclass
class TemplateFacts:
    """What is known of one template. `problems` are its own; `variables` and `renders` also those of its partials.

    With problems, the variables are incomplete.
    """

    variables: list[Variable] = field(default_factory=list)
    problems: list[TemplateProblem] = field(default_factory=list)
    renders: set[str] = field(default_factory=set)


class Partials(Protocol):
    """Where `render` looks."""

    def __contains__(self, key: str) -> bool: ...

    def parsed(self, key: str) -> BoundTemplate | TemplateProblem: ...


def inspect(partials: Partials, template: BoundTemplate, facts: TemplateFacts) -> None:
    """Adds to `facts`."""
    _Inspector(partials, template, facts).inspect()


@dataclass(frozen=True)
class _Around:
    """What stands around a node: conditions on these paths, these templates, loops of so many turns in all."""

    guarded: frozenset[str] = frozenset()
    above: tuple[str, ...] = ()
    turns: int = 1


class _Inspector:
    """Looks through the syntax tree of one template, and of all that it renders."""

    def __init__(self, templates: Partials, template: BoundTemplate, facts: TemplateFacts) -> None:
        self.templates = templates
        self.template = template
        self.filters = template.env.filters
        self.facts = facts
        self.rendered = 0
        self.at = 0

    def inspect(self) -> None:
        """What cannot be followed ends it: the partial that is at fault has facts of its own."""
        if not self._can_follow(self.template, {self.template.name}):
            return
        analysis = self.template.analyze(include_partials=True)
        self._check_filters(analysis.filters)
        outside = {(v.span.template_name, v.span.index): v for found in analysis.globals.values() for v in found}
        printed = set(self._printed(self.template, _Around()))
        for (template, index), variable in sorted(outside.items(), key=lambda item: item[0]):
            self._variable(template, index, variable.segments, (template, index) in printed)

    def _can_follow(self, template: BoundTemplate, seen: set[str], depth: int = 1) -> bool:
        """Whether every `render`, here and in what is rendered, names a template that could be parsed."""
        follow = True
        for node in _nodes(template.nodes):
            if isinstance(node, IncludeNode):
                message = "'include' is not available: it shares its variables, so that they cannot be checked"
                self._problem(template.name, node.token.start_index, "template-include", message, "use render")
                follow = False
            elif isinstance(node, RenderNode):
                self.at = node.token.start_index if depth == 1 else self.at
                name = self._partial_name(node, template)
                if name is None:
                    follow = False
                elif name not in seen:
                    seen.add(name)
                    follow = self._can_follow_into(name, seen, depth + 1) and follow
        return follow

    def _can_follow_into(self, name: str, seen: set[str], depth: int) -> bool:
        if depth > MAX_DEPTH:
            self._endless("template-depth", f"templates render each other more than {MAX_DEPTH} levels deep")
            return False
        partial = self.templates.parsed(name)
        return isinstance(partial, BoundTemplate) and self._can_follow(partial, seen, depth)

    def _partial_name(self, node: RenderNode, template: BoundTemplate) -> str | None:
        at = node.name.token.start_index
        if not isinstance(node.name, StringLiteral):
            message = f"render: expected the name of a template in quotes, found {node.name}"
            self._problem(template.name, at, "template-missing", message, f"render '{node.name}'")
            return None
        if node.name.value not in self.templates:
            message = f"there is no template '{node.name.value}' to render: it is looked up in templates/ only"
            self._problem(template.name, at, "template-missing", message)
            return None
        return str(node.name.value)

    def _problem(self, template: str, offset: int, code: str, message: str, hint: str | None = None) -> None:
        if template == self.template.name:
            self.facts.problems.append(TemplateProblem(offset, code, message, hint))

    def _variable(self, template: str, index: int, segments: list[Any], printed: bool) -> None:
        """A material is known by its whole path: name, field, and the field's own."""
        root = str(segments[0])
        if root in OWN and len(segments) == 1:
            return
        least, example = _PATHS.get(root, (1, root))
        path = [root, *segments[1:]][: None if root == "material" else least]
        if len(path) >= least and all(isinstance(segment, str) for segment in path):
            field = segments[2] if len(segments) > 2 and isinstance(segments[2], str) else None
            self.facts.variables.append(Variable(".".join(path), printed, template, index, field))
        else:
            message = f"'{root}' is read field by field, each by its name: {example}"
            self._problem(template, index, "template-variable", message)

    def _check_filters(self, filters: Mapping[str, list[Any]]) -> None:
        known = sorted(self.filters)
        for name, spans in filters.items():
            for span in spans if name not in known else ():
                message = f"unknown filter '{name}'"
                self._problem(span.template_name, span.index, "template-filter", message, nearest(name, known))

    def _printed(self, template: BoundTemplate, around: _Around) -> Iterator[tuple[str, int]]:
        """(template, index) of each path whose missing value would leave a hole."""
        around = replace(around, above=(*around.above, template.name))
        for node in template.nodes:
            yield from self._printed_by(node, template, around)

    def _printed_by(self, node: Node, template: BoundTemplate, around: _Around) -> Iterator[tuple[str, int]]:
        expressions = list(node.expressions())
        if isinstance(node, _PRINTING):
            for path in (path for expression in expressions for path in _bare_paths(expression)):
                if str(path) not in around.guarded:
                    yield template.name, path.token.start_index
        else:
            guarded = {str(path) for expression in expressions for path in _paths(expression)}
            turns = self._check_turns(template, expressions, around)
            around = replace(around, guarded=around.guarded | guarded, turns=turns)
        if isinstance(node, RenderNode):
            yield from self._rendered(node, around)
            return
        for child in node.children(_NO_CONTEXT, include_partials=False):
            yield from self._printed_by(child, template, around)

    def _rendered(self, node: RenderNode, around: _Around) -> Iterator[tuple[str, int]]:
        name, above = str(node.name).strip("'\""), around.above
        self.facts.renders.add(name)
        self.rendered += 1
        if len(above) == 1:
            self.at = node.token.start_index
        if name == above[0]:
            self._endless("template-cycle", f"renders itself without end: {' -> '.join((*above, name))}")
        elif name in above:
            return  # has facts of its own
        elif len(above) == MAX_DEPTH:
            self._endless("template-depth", f"templates render each other more than {MAX_DEPTH} levels deep")
        elif self.rendered == MAX_RENDERS:
            self._endless("template-renders", f"renders {MAX_RENDERS:,} templates or more, one inside the other")
        elif self.rendered < MAX_RENDERS and isinstance(partial := self.templates.parsed(name), BoundTemplate):
            yield from self._printed(partial, around)

    def _endless(self, code: str, message: str) -> None:
        """Told at the `render` of this template that it begins with."""
        self.facts.problems.append(TemplateProblem(self.at, code, message))

    def _check_turns(self, template: BoundTemplate, expressions: list[Expression], around: _Around) -> int:
        """How often what is inside is done: known where the ranges are written out, else taken for once."""
        turns = around.turns
        for expression in expressions:
            if (own := _turns_of(expression)) is None:
                continue
            turns *= own
            if turns > MAX_LOOP_TURNS >= around.turns:
                inside = "" if around.turns == 1 else ", counted together with those around it"
                message = f"a loop of {turns:,} turns{inside}: at most {MAX_LOOP_TURNS:,} are allowed"
                own_place = template.name == self.template.name
                at = _iterable(expression).token.start_index if own_place else self.at
                if own_place or around.turns > 1:  # else it is the partial's own mistake
                    self.facts.problems.append(TemplateProblem(at, "template-loop", message))
        return turns


def _iterable(loop: Expression) -> Any:
    return getattr(loop, "iterable", None)


def _turns_of(expression: Expression) -> int | None:
    """Of a loop over a range of two numbers; None: nothing is known."""
    iterable = _iterable(expression)
    first, last, limit = (
        getattr(getattr(owner, name, None), "value", None)
        for owner, name in ((iterable, "start"), (iterable, "stop"), (expression, "limit"))
    )
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    turns = max(last - first + 1, 0)
    return min(turns, max(limit, 0)) if isinstance(limit, int) else turns


_NO_CONTEXT: Any = None  # the built-in tags use the context only to find partials, which is done here


def _nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    """All nodes of one template, those of its partials left out."""
    for node in nodes:
        yield node
        if not isinstance(node, RenderNode | IncludeNode):
            yield from _nodes(node.children(_NO_CONTEXT, include_partials=False))


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
