"""English sentences in the code, and English words in what a Chinese page says of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import kairos

HOME = Path(kairos.__file__).parent
NAMES = {"ROI", "IPS", "SNIPS", "UTC", "SQL"}
"""Of methods, money and time: the same in every language."""
_NAMED = re.compile(
    r"""`[^`]*`|'[^']*'|"[^"]*"|{[^{}]*}|\[[^][]*]|<[^<>]*>|\w*\([^()\u4e00-\u9fff]*\)  # quoted, or in brackets
    |[\w-]*[./_$%*][\w./*%-]*|--[\w-]+|[A-Z]{2,}|[A-Za-z]*\d\w*  # paths, options, values
    |(?:[\w<>]+,\ )*[\w<>]+\ [和或]\ [\w<>]+|(?:[\w<>]+,\ )+(?=[\u4e00-\u9fff])  # a list of names
    |(?:^|[:：；])\s*[a-z]+(?=[:：])  # a key, of which it is said""",
    re.X,
)
_OF_SENTENCES = re.compile(
    r"(?<![\w'`])(a|add|an|are|did|expected|give|has|is|it|its|keep|no|of|one|put|read|remove|the|there|to|what|which|write)"
    r"(?![\w'`])"
)


def english_in(text: str, names: frozenset[str] = frozenset()) -> set[str]:
    """Words of two letters or more that are no names."""
    return {word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in NAMES | names}


def english_beside_names_in(text: str, names: frozenset[str] = frozenset()) -> set[str]:
    """Of a sentence about code: what is quoted, a path, an option or a value is a name."""
    return english_in(_NAMED.sub(" ", text), names)


def modules(*places: str) -> list[str]:
    """Those of these folders, and these files, relative to the package."""
    found = [HOME / place for place in places]
    files = [file for path in found for file in ([path] if path.is_file() else path.rglob("*.py"))]
    return sorted(str(file.relative_to(HOME)) for file in files)


def sentences(module: str) -> Iterator[str]:
    """Every text of two words or more that is no docstring and no key, its holes filled as they would be."""
    tree = ast.parse((HOME / module).read_text())
    skipped = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    skipped -= {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    skipped |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(_filled(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text and len(re.findall("[a-z]{2,}", text)) > 1:
            yield text


def reads_as_sentence(text: str) -> bool:
    """Not so: a list of words, a pattern, code."""
    plain = not re.search(r"\(\?|\\|\n|^[A-Z]{4}", text)
    return plain and _OF_SENTENCES.search(text) is not None


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    named = ast.unparse(part)
    if "listed(" in named:
        return "x1, x2 and x3"
    return "" if named == "{of}" or "f'{of}'" in named else "x1 to x1" if "_hours" in named else "x1"
