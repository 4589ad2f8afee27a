"""The tree of an expression: what is left once the grammar was checked.

Nodes are equal when they mean the same, wherever they stand in the text: `start` and `end` (characters) do not count.
`+` chains, comparison chains and `and`/`or` are flat, so that depth is nesting as written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal as OneOf

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True)
class Literal(Node):
    value: Scalar

    def __eq__(self, other: object) -> bool:  # 1, 1.0 and true are different texts
        return isinstance(other, Literal) and type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Prop(Node):
    """A bare name: a prop of the event in question."""

    name: str


@dataclass(frozen=True)
class StepProp(Node):
    """`step.prop` (which = last), `step.first.prop`, `step.last.prop`.

    Only names tell `step.prop` from what lies inside the prop of a bare name, `address.city`: where there is no step of
    this name, it is that.
    """

    step: str
    prop: str
    which: OneOf["first", "last"]


@dataclass(frozen=True)
class Inside(Node):
    """What lies inside a value: keys of objects, positions in lists from 0."""

    value: Node
    path: tuple[str, ...]


@dataclass(frozen=True)
class Item(Node):
    """`products[product_id].price`: a field of an item of a catalog."""

    catalog: str
    key: Node
    name: str


@dataclass(frozen=True)
class StepCount(Node):
    step: str


@dataclass(frozen=True)
class Aggregate(Node):
    """`sum(step.prop)` and the like, over all events that the step has taken."""

    function: OneOf["sum", "min", "max", "avg"]
    step: str
    prop: str


@dataclass(frozen=True)
class Progress(Node):
    """How far a message of the journey has come (`PROGRESS` in functions.py); null: nobody has come to it yet.

    `clicked(hello)` is a comparison of it, so that the checks know what excludes what.
    """

    message: str


@dataclass(frozen=True)
class Field(Node):
    """`event.x`, `profile.x`, `metric.x`, `prior.x`."""

    root: OneOf["event", "profile", "metric", "prior"]
    name: str


@dataclass(frozen=True)
class Call(Node):
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class History(Node):
    """`count(purchase, 90d, amount > 5)`: of a user's events of this type, in the last `window` ms (None: ever).

    `prop` may be a path, `a.b`. The names in `condition` are those of the event, so it is not among the children.
    """

    function: str
    event: str
    prop: str | None
    window: int | None
    condition: Node | None


@dataclass(frozen=True)
class Code(Node):
    """`coupon("spring")`: a code of this pool, which whoever hands the message over puts in; null until then."""

    pool: str


@dataclass(frozen=True)
class Sign(Node):
    """Unary plus and minus."""

    operator: OneOf["+", "-"]
    operand: Node


@dataclass(frozen=True)
class Arithmetic(Node):
    """`first op operand op operand ...`, from left to right, operators of one precedence."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Comparison(Node):
    """A chain: every neighbouring pair must hold. Operators: == != < <= > >= in, not in."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Logic(Node):
    operator: OneOf["and", "or"]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Not(Node):
    operand: Node


@dataclass(frozen=True)
class Choice(Node):
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case ListOf(items=nodes) | Call(arguments=nodes) | Logic(operands=nodes):
            return nodes
        case Arithmetic(first=first, rest=rest) | Comparison(first=first, rest=rest):
            return (first, *(operand for _, operand in rest))
        case Not(operand=operand) | Sign(operand=operand) | Inside(value=operand):
            return (operand,)
        case Item(key=key):
            return (key,)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in order of the text."""
    yield node
    for child in children(node):
        yield from walk(child)
