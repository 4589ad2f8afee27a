"""What Python has and the language of rules has not: how to call it in a message, and what to write instead."""

from __future__ import annotations

import ast

from kairos.engine.expression.problem import Problem

FOREIGN: dict[type[ast.AST], tuple[str, str | None]] = {
    ast.Lambda: ("a lambda", None),
    ast.JoinedStr: ("an f-string", None),
    ast.Subscript: (
        "a subscript [..]",
        "a prop is read by its bare name, what lies inside with dots: address.city, items.0.sku",
    ),
    ast.Tuple: ("a tuple", "a list is written in square brackets: [a, b], a number without separators: 1000"),
    ast.Dict: ("a dict {..}", None),
    ast.Set: ("a set {..}", "a list is written in square brackets, [a, b], a name without any"),
    ast.ListComp: ("a comprehension", None),
    ast.SetComp: ("a comprehension", None),
    ast.DictComp: ("a comprehension", None),
    ast.GeneratorExp: ("a generator", None),
    ast.NamedExpr: ("':='", "equality is written '=='"),
    ast.Starred: ("'*' before a value", None),
    ast.Await: ("await", None),
    ast.Yield: ("yield", None),
    ast.YieldFrom: ("yield", None),
}
FOREIGN_OPERATORS: dict[type[ast.AST], tuple[str, str | None]] = {
    ast.Pow: ("'**'", None),
    ast.FloorDiv: ("'//'", "write '/'"),
    ast.MatMult: ("'@'", None),
    ast.BitAnd: ("'&'", "write 'and'"),
    ast.BitOr: ("'|'", "write 'or'"),
    ast.BitXor: ("'^'", None),
    ast.LShift: ("'<<'", None),
    ast.RShift: ("'>>'", None),
    ast.Invert: ("'~'", "write 'not'"),
    ast.Is: ("'is'", "write '==', or exists(x) to ask for a value"),
    ast.IsNot: ("'is not'", "write '!=', or exists(x) to ask for a value"),
}


class Refused(Exception):
    """A node that cannot become one of ours: `problem` says why, and where."""

    def __init__(self, at: int, message: str, hint: str | None = None, code: str = "expression-unsupported") -> None:
        super().__init__(message)
        self.problem = Problem(at, code, message, hint)


def foreign(at: int, what: tuple[str, str | None]) -> Refused:
    """`what`: how it is called, and what to write instead."""
    return Refused(at, f"{what[0]} is not part of the expression language", what[1])


def refuse_hidden(name: str, start: int) -> None:
    if name.startswith("_"):
        raise Refused(start, f"'{name}' is not a name that may be read: names start with a letter", code="bad-name")
