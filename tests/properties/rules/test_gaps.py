"""Rendering against a slow twin that walks the same template and knows of each value whether it is there."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.rule.content.rendering import ContentError, Renderer

MISSING = object()


class Path(NamedTuple):
    names: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.names)

    def value(self, tree: Any) -> Any:
        for name in self.names:
            tree = tree.get(name) if isinstance(tree, dict) else None
        return MISSING if tree is None else tree


class Print(NamedTuple):
    """`filters`: `upcase`, ("append", path), ("default", path) or ("default", text)."""

    path: Path
    filters: tuple[tuple[str, Path | str | None], ...]

    def __str__(self) -> str:
        return "{{ " + " | ".join([str(self.path), *map(_filter_text, self.filters)]) + " }}"

    def text(self, tree: Any) -> str | None:
        value = self.path.value(tree)
        for name, argument in self.filters:
            other = argument.value(tree) if isinstance(argument, Path) else argument
            if name == "default":
                value = other if value is MISSING or value == "" else value
            elif value is MISSING or other is MISSING:
                value = MISSING
            else:
                value = value.upper() if name == "upcase" else value + other
        return None if value is MISSING else str(value)


class If(NamedTuple):
    path: Path
    condition: str  # "", "== 'x'" or "!= 'x'"
    body: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{{% if {self.path} {self.condition} %}}{''.join(map(str, self.body))}{{% endif %}}"

    def text(self, tree: Any) -> str | None:
        value = self.path.value(tree)
        holds = {"": value is not MISSING, "== 'x'": value == "x", "!= 'x'": value != "x"}[self.condition]
        return _all(self.body, tree) if holds else ""


class For(NamedTuple):
    body: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{{% for o in list %}}{''.join(map(str, self.body))}{{% endfor %}}"

    def text(self, tree: Any) -> str | None:
        texts = [_all(self.body, {**tree, "o": item}) for item in tree.get("list") or []]
        return None if None in texts else "".join(text for text in texts if text is not None)


class Plain(NamedTuple):
    said: str

    def __str__(self) -> str:
        return self.said

    def text(self, tree: Any) -> str:
        return self.said


def _filter_text(entry: tuple[str, Path | str | None]) -> str:
    name, argument = entry
    return name if argument is None else f"{name}: {argument if isinstance(argument, Path) else repr(argument)}"


def _all(nodes: tuple[Any, ...], tree: Any) -> str | None:
    """None: a hole."""
    texts = [node.text(tree) for node in nodes]
    return None if None in texts else "".join(texts)


PATHS = st.sampled_from([Path(("a",)), Path(("b",)), Path(("o", "c")), Path(("o", "d", "e")), Path(("profile", "n"))])
FILTERS = st.one_of(
    st.just(("upcase", None)),
    st.tuples(st.sampled_from(["append", "default"]), st.one_of(PATHS, st.sampled_from(["x", "you"]))),
)
LEAVES = st.one_of(
    st.builds(Plain, st.sampled_from(["Hi ", "x"])),
    st.builds(Print, PATHS, st.lists(FILTERS, max_size=3).map(tuple)),
)
NODES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(If, PATHS, st.sampled_from(["", "== 'x'", "!= 'x'"]), st.lists(inner, max_size=3).map(tuple)),
        st.builds(For, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
TEXTS = st.one_of(st.none(), st.sampled_from(["x", "y"]))
OBJECTS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {}, optional={"c": TEXTS, "d": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"e": TEXTS}))}
    ),
)
DATA = st.fixed_dictionaries(
    {}, optional={"a": TEXTS, "b": TEXTS, "o": OBJECTS, "list": st.lists(OBJECTS, max_size=2), "profile.n": TEXTS}
)


@given(st.lists(NODES, min_size=1, max_size=4).map(tuple), DATA)
@settings(max_examples=600)
def test_nothing_with_a_hole_is_made_and_nothing_else_refused(nodes: tuple[Any, ...], data: dict[str, Any]) -> None:
    tree = {**data, "profile": {"n": data.get("profile.n")}}
    expected = _all(nodes, tree)
    try:
        made: str | None = Renderer({"t.push": "".join(map(str, nodes))}).render("t", "push", data).text
    except ContentError:
        made = None
    assert made == ((expected or "").strip() or None)
