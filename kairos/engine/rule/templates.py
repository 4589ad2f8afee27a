"""Which values a template cannot do without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from liquid import DictLoader, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression


def required_variables(templates: Mapping[str, str], name: str, channel: str) -> tuple[str, ...]:
    """Paths such as `order_id` or `profile.name` that are printed without a `default` and without an `if` around them.

    `material.x` is the delivery worker's to resolve. A template that is not there, or cannot be read, requires nothing:
    lint has refused it.
    """
    return _required(tuple(sorted(templates.items())), f"{name}.{channel}")


@lru_cache(maxsize=4096)
def _required(templates: tuple[tuple[str, str], ...], name: str) -> tuple[str, ...]:
    environment = Environment(loader=DictLoader(dict(templates)))
    try:
        template = environment.get_template(name)
        context = RenderContext(template)
        found = list(_printed(template.nodes, context, frozenset()))
    except LiquidError:
        return ()
    return tuple(dict.fromkeys(path for path in found if not path.startswith("material.")))


def _printed(nodes: Iterable[Node], context: RenderContext, known: frozenset[str]) -> Iterator[str]:
    """Variables printed by these nodes; `known` are those assigned or asked about before or around them."""
    for node in nodes:
        if isinstance(node, OutputNode):
            needed = _needed(node.expression)
            yield from (path for path in needed if path not in known and path.split(".")[0] not in known)
            continue
        asked = {path for expression in node.expressions() for path in _paths(expression)}
        inside = known | asked | {str(name) for name in node.block_scope()}
        if isinstance(node, RenderNode):
            inside |= {argument.name for argument in node.args}
        yield from _printed(node.children(context), context, inside)
        known |= {str(name) for name in node.template_scope()}


def _needed(expression: Expression) -> Iterator[str]:
    if isinstance(expression, FilteredExpression):
        if not any(step.name == "default" for step in expression.filters or ()):
            yield from _paths(expression.left)
    else:
        yield from _paths(expression)


def _paths(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Path):
        yield ".".join(str(part) for part in expression.path)
        return
    for child in expression.children():
        yield from _paths(child)
