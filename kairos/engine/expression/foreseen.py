"""What of a condition can be told before its event's turn comes: from the event and metrics as they stand before it.

It is necessary and need not be sufficient: where it does not hold, the condition will not be true; where it holds, the
condition still has to be asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from kairos.engine.expression.reads import Reads
from kairos.engine.expression.tree import Call, Comparison, Literal, Logic, Node, Not

_ANY_ZONE = 2
"""Days by the clocks of two zones differ by less: no clock is a whole day away from UTC, at either end."""
_FLIPPED = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_BEYOND = {">=": ("<", -_ANY_ZONE), ">": ("<=", -_ANY_ZONE), "<=": (">", _ANY_ZONE), "<": (">=", _ANY_ZONE)}
"""Sign of a comparison -> what is false of it in UTC wherever it is true in some zone."""


def foreseen(condition: Node) -> Node | None:
    """To be compiled for UTC. None: nothing is known of it."""
    match condition:
        case Logic(operator="and", operands=operands):
            known = [each for operand in operands if (each := foreseen(operand)) is not None]
            return _all_of(condition, known)
        case Logic(operands=operands):
            every = [foreseen(operand) for operand in operands]
            known = [each for each in every if each is not None]
            return Logic(condition.start, condition.end, "or", tuple(known)) if len(known) == len(every) else None
    if Reads.of(condition).before_event:
        return condition
    return _days(condition) if isinstance(condition, Comparison) else None


def _days(chain: Comparison) -> Node | None:
    """Of `days_since(x) >= 14`, and of pairs like it in a chain: that it may hold in some zone."""
    pairs = zip((chain.first, *(operand for _, operand in chain.rest)), chain.rest, strict=False)
    return _all_of(chain, [each for a, (sign, b) in pairs for each in _compared(a, sign, b)])


def _compared(a: Node, sign: str, b: Node) -> list[Node]:
    if isinstance(a, Literal) and sign in _FLIPPED:
        a, sign, b = b, _FLIPPED[sign], a
    if not (isinstance(a, Call) and a.function == "days_since" and isinstance(b, Literal)):
        return []
    if type(b.value) is not int or not Reads.union(map(Reads.of, a.arguments)).before_event:
        return []
    exists = Call(a.start, a.end, "exists", a.arguments)
    beyond = [_BEYOND[each] for each in ((">=", "<=") if sign == "==" else (sign,)) if each in _BEYOND]
    limits = [(opposite, Literal(b.start, b.end, b.value + days)) for opposite, days in beyond]
    inside = [Not(a.start, b.end, Comparison(a.start, b.end, a, (limit,))) for limit in limits]
    return [exists, *inside] if inside else []


def _all_of(node: Node, known: Sequence[Node]) -> Node | None:
    if len(known) < 2:
        return known[0] if known else None
    return Logic(node.start, node.end, "and", tuple(known))
