"""What somebody wrote into one field, as YAML of its type."""

from __future__ import annotations

from kairos.engine.rule.fields.shape import list_of
from kairos.engine.rule.fields.types import Boolean, Expression, Integer, Number, OneOf, PositiveNumber, Text, Type
from kairos.engine.rule.text.edit import find
from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml


def yaml_of(text: str, type_: Type) -> str | None:
    """What somebody wrote into a field, as YAML; None: nothing."""
    text = " ".join(text.split())
    if not text:
        return None
    listed = list_of(type_)
    if listed is not None:
        items = [part.strip() for part in text.strip("[]").split(",") if part.strip()]
        if listed.one and len(items) == 1:
            return _scalar(items[0], type_)
        return f"[{', '.join(_scalar(item, listed.item) for item in items)}]"
    return _scalar(text, type_)


def _scalar(text: str, type_: Type) -> str:
    """Plain where that is read as the same, also within braces; a text that looks like a number has quotes."""
    node = _node_of(f"{{a: {text}}}")
    same = node is not None and node.is_scalar and not node.style and node.text == text
    if same and node is not None and (node.kind == "text" or not _is_text(type_)):
        return text
    return "'" + text.replace("'", "''") + "'"


def _node_of(text: str) -> Node | None:
    try:
        root = read_yaml(text)
    except YamlError:
        return None
    return find(root, ("a",)) if root is not None and root.size == 3 else None


def _is_text(type_: Type) -> bool:
    """Whether a number written plainly would be refused."""
    match type_:
        case Text():
            return not type_.loose
        case Integer() | Number() | PositiveNumber() | Boolean() | Expression() | OneOf():
            return False
    return True
