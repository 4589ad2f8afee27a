"""What the fields of every kind of file mean, on a Chinese page: whoever declares one says it in Chinese, too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kairos.apps.console.texts import read_texts
from kairos.apps.console.words import say_in
from kairos.engine.rule.fields.measures import KINDS
from kairos.engine.rule.fields.types import Filled, ListOf, MapOf, Named, OneOf, Record, Type
from kairos.engine.rule.form.schema import FILES
from tests.unit.console.sentences import english_beside_names_in
from tests.unit.console.test_findings_in_words import NAMES

say = say_in("zh")
CODE = re.compile(r"`[^`]*`|[\w.]+ \* [\w. *-]+|\d+\w?")
"""Quoted, or a formula: the same in every language."""


def meanings(type_: Type, seen: set[int]) -> Iterator[str]:
    """What is said of a type, of all that lies in it, and of values that stand where none is given."""
    if id(type_) in seen:
        return
    seen.add(id(type_))
    match type_:
        case Record():
            yield type_.doc
            for field in type_.fields:
                yield from (field.doc, field.shown_default or "")
                yield from meanings(field.type, seen)
            if type_.other is not None:
                yield from meanings(type_.other, seen)
        case MapOf():
            yield from meanings(type_.value, seen)
        case ListOf():
            yield from meanings(type_.item, seen)
        case OneOf():
            for option in type_.options:
                yield from meanings(option, seen)
        case Named():
            yield from meanings(type_.get(), seen)
        case Filled():
            yield from meanings(type_.type, seen)


@pytest.mark.parametrize("kind", FILES)
def test_the_meaning_of_every_field_is_put_into_words(kind: str) -> None:
    for text in filter(None, meanings(FILES[kind], set())):
        said = say(text)
        assert english_beside_names_in(said, NAMES) == set(), f"{text} -> {said}"
        assert said != text or not re.search("[a-z]{2}", CODE.sub("", text)), text


def test_every_kind_of_measure_has_a_name_of_its_own() -> None:
    for texts in read_texts().values():
        names = [texts[f"measure-kind.{kind}"] for kind in KINDS]
        assert len(set(names)) == len(names)
