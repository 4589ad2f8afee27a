"""Text -> tree: the subset of Python's expressions that rules are written in.

Python's own parser reads the text; nothing of it is ever run as Python. Length, nesting and quotes are checked before
it is asked, so that no text can exhaust it.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings

from kairos.engine.expression.history import HistoryTranslator, durations_in, without_durations
from kairos.engine.expression.mistakes import syntax_hint
from kairos.engine.expression.places import Places
from kairos.engine.expression.problem import ExpressionError, Problem
from kairos.engine.expression.slips import slip
from kairos.engine.expression.translate import Translator
from kairos.engine.expression.tree import Node

MAX_LENGTH = 10_000
MAX_LEVELS = 50

_TOKEN = re.compile(
    r"""'''(?:[^\\]|\\.)*?'''|\"{3}(?:[^\\]|\\.)*?\"{3}|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|["'#()\[\]{}]""",
    re.DOTALL,
)  # texts in quotes, and what counts outside of them
_PATH = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\.\w+)+")
_POSITION = re.compile(r"\.[0-9]+(?!\w)")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def parse_tree(text: str, *, history: bool = False) -> Node:
    """Raises ExpressionError with everything that is outside the language. `history`: as kept crowds have it."""
    problem = _guard(text)
    if problem:
        raise ExpressionError([problem])
    durations = durations_in(_without_texts(text)) if history else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python's doubts about `1 in 2` and the like: the checks say it better
            source = without_durations(named_positions(text), durations)
            body = ast.parse(f"({source}\n)", mode="eval").body  # in brackets: a line break is a space
    except SyntaxError as error:
        raise ExpressionError([_syntax_problem(text, error)]) from None
    except (RecursionError, MemoryError):
        raise ExpressionError([_too_deep(0)]) from None
    except ValueError as error:
        raise ExpressionError([Problem(0, "expression-syntax", f"syntax error: {error}")]) from None
    places = Places(text)
    translator = (
        HistoryTranslator(text, places, MAX_LEVELS, durations) if history else Translator(text, places, MAX_LEVELS)
    )
    tree = translator.translate(body)
    if translator.problems:
        raise ExpressionError(sorted(translator.problems, key=lambda found: found.offset))
    return tree


def named_positions(text: str) -> str:
    """`items.0.sku` with a name of the same length for each position, for Python knows none; what is meant is read in
    the text itself."""
    named = list(text)
    for path in _PATH.finditer(_without_texts(text)):
        for position in _POSITION.finditer(path.group()):
            start, end = position.span()
            named[path.start() + start : path.start() + end] = _as_name(position.group())
    return "".join(named)


def _as_name(position: str) -> str:
    return "." + "".join("ABCDEFGHIJ"[int(digit)] for digit in position[1:])


def _too_deep(offset: int) -> Problem:
    return Problem(
        offset, "expression-too-deep", f"the expression is nested too deep; the limit is {MAX_LEVELS} levels"
    )


def _guard(text: str) -> Problem | None:
    """Size, brackets and quotes, in one pass."""
    if len(text) > MAX_LENGTH:
        message = f"the expression has {len(text)} characters; the limit is {MAX_LENGTH}"
        return Problem(0, "expression-too-long", message, "split it: metrics and crowds can carry a part")
    if not text.strip():
        return Problem(0, "expression-syntax", "the expression is empty")
    if found := slip(_without_texts(text)):
        offset, hint = found
        return Problem(offset, "expression-syntax", f"syntax error at '{text[offset]}'", hint)
    open_brackets: list[tuple[str, int]] = []
    for match in _TOKEN.finditer(text):
        token, offset = match.group(), match.start()
        if token in "([{":
            open_brackets.append((token, offset))
            if len(open_brackets) > MAX_LEVELS:
                return _too_deep(offset)
        elif token in _PAIRS:
            if not open_brackets or open_brackets.pop()[0] != _PAIRS[token]:
                return Problem(offset, "expression-syntax", f"syntax error: '{token}' closes nothing")
        elif token == "#":
            return Problem(offset, "expression-syntax", "syntax error: comments have no place in an expression")
        elif token in "\"'":
            return Problem(offset, "expression-syntax", "syntax error: the text that starts here has no closing quote")
    if open_brackets:
        token, offset = open_brackets[-1]
        return Problem(offset, "expression-syntax", f"syntax error: '{token}' is never closed")
    return None


def _syntax_problem(text: str, error: SyntaxError) -> Problem:
    offset = Places(text).of_syntax_error(error)
    if "too many nested" in error.msg:
        return _too_deep(offset)
    if "integer string conversion" in error.msg:
        return Problem(offset, "number-range", "a number in it is too large: it has thousands of digits")
    rest = text[offset:]
    hint = syntax_hint(_without_texts(text))
    if not rest.strip():
        return Problem(offset, "expression-syntax", "syntax error: the expression ends where more is expected", hint)
    word = re.match(r"[A-Za-z_]\w*", rest)
    if word and keyword.iskeyword(word.group()) and hint is None:
        hint = f"'{word.group()}' is a reserved word"
    near = "".join(char if char.isprintable() else "?" for char in rest.split()[0][:30])
    return Problem(offset, "expression-syntax", f"syntax error at '{near}'", hint)


def _without_texts(text: str) -> str:
    return _TOKEN.sub(lambda match: " " * len(match.group()), text)
