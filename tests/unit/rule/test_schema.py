"""JSON Schema and reference: the same declarations, told to editors and to people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.channel import CHANNELS
from kairos.engine.policy.spec import CapRule, Policy
from kairos.engine.rule.fields.activity import ACTIVITY, LIMITS, SEND
from kairos.engine.rule.fields.materials import MATERIAL, MINI_PROGRAM
from kairos.engine.rule.fields.policy import CAP_RULE, POLICY
from kairos.engine.rule.fields.sources import SOURCE
from kairos.engine.rule.fields.trigger import STEP, TRIGGER
from kairos.engine.rule.fields.types import ListOf, MapOf, Named, OneOf, Record, Type
from kairos.engine.rule.form.reference import reference
from kairos.engine.rule.form.schema import FILES, json_schema
from kairos.engine.rule.load import load
from kairos.engine.rule.model import Activity, Limits, Material, MiniProgram, Send, Source
from kairos.engine.rule.text.head import split_head
from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml
from tests.unit.rule.rows import BASE, TABLES, read_rows

DOCUMENT = json_schema()
REFERENCE = Path(__file__).parents[3] / "docs" / "reference.md"


def part_of(path: str) -> str:
    if path.endswith(".test.yaml"):
        return "examples"
    return "activity" if path.startswith("activities/") else path.removesuffix(".yaml")


def problems(path: str, content: bytes) -> list[str]:
    """What an editor would mark in this file."""
    root = read_yaml(content.decode())
    schema = {"$ref": f"#/$defs/{part_of(path)}", "$defs": DOCUMENT["$defs"]}
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(plain(root) if root else None)]


def plain(node: Node) -> Any:
    if node.kind == "list":
        return [plain(item) for item in node.items]
    if node.kind == "mapping":
        return {key.text: plain(value) for key, value in node.entries}
    return node.value


def base_files() -> dict[str, bytes]:
    return {path: bytes(content) for path, content in read_folder(BASE).items() if isinstance(content, bytes)}


def test_the_document_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(DOCUMENT)
    assert set(FILES) <= set(DOCUMENT["$defs"])


@pytest.mark.parametrize("path", [path for path in base_files() if path.endswith(".yaml")])
def test_valid_files_are_valid_for_the_schema(path: str) -> None:
    assert problems(path, base_files()[path]) == []


# What the declaration of one field refuses; the rest is about several fields, or about the YAML.
SHAPE = {
    "wrong-type", "bad-name", "bad-choice", "bad-number", "out-of-range", "bad-boolean", "bad-duration", "bad-value",
    "unknown-key", "bad-percentage",
}  # fmt: skip


def refused_rows() -> Iterator[tuple[str, str, bytes, bool]]:
    base = base_files()
    for table in ("values", "folder", "keys", "examples"):
        for row in read_rows(TABLES / f"{table}.txt"):
            path = row.edits[-1][0]
            codes = {
                finding.split(" ", 2)[2].split(":")[0] for finding in row.findings if finding.startswith(f"{path}:")
            }
            content = row.apply(base).get(path)
            if content is None or not path.endswith(".yaml"):
                continue
            if row.silent or codes & SHAPE:
                yield f"{table}-{row.line}", path, content, row.silent


ROWS = {name: (path, content, silent) for name, path, content, silent in refused_rows()}

# What only the loader knows: the bounds of durations, real dates, finite numbers, what events must have.
BEYOND = (
    *("3651d", "99999999999999999999d", "0s", "0d", "0h", "2026-13-01", "1926-11-01", "101%", "found '.inf'"),
    *("sources.yaml declares", "user_id: expected text", "unknown key 'login'", "at most 64 bits", "status: expected"),
    *("a list of names is expected", "a time zone such as Asia/Shanghai is expected"),
)


@pytest.mark.parametrize(("path", "content", "valid"), ROWS.values(), ids=ROWS.keys())
def test_the_schema_refuses_what_the_loader_refuses(path: str, content: bytes, valid: bool) -> None:
    """And takes what the loader takes."""
    try:
        found = problems(path, content)
    except YamlError:
        found = ["not YAML"]
    said = " ".join(f.message for f in load({**base_files(), path: content}).findings)
    if not valid and any(word in said for word in BEYOND):
        return
    assert (found == []) == valid, found


def test_declared_defaults_are_those_of_the_model() -> None:
    """Said in both, because the model can be built without a file."""
    pairs: list[tuple[type[msgspec.Struct], Record, dict[str, str]]] = [
        (Activity, ACTIVITY, {"activity": "name", "trigger": "pattern", "class": "kind"}),
        (Limits, LIMITS, {}),
        (Send, SEND, {}),
        (CapRule, CAP_RULE, {"max": "most"}),
        (Source, SOURCE, {"map": "mapping"}),
        (Policy, POLICY, {}),
    ]
    for struct, record, renamed in pairs:
        defaults = {f.name: f.default for f in msgspec.structs.fields(struct)}
        for field in record.fields:
            model = defaults.get(renamed.get(field.name, field.name), msgspec.NODEFAULT)
            if isinstance(field.default, str | int | bool):
                assert model == field.default, (struct, field.name)


def records(type_: Type, seen: dict[str, list[Record]]) -> dict[str, list[Record]]:
    match type_:
        case Record():
            if type_ not in seen.setdefault(type_.name, []):
                seen[type_.name].append(type_)
                for field in type_.fields:
                    records(field.type, seen)
                if type_.other:
                    records(type_.other, seen)
        case ListOf():
            records(type_.item, seen)
        case MapOf():
            records(type_.value, seen)
        case OneOf():
            for option in type_.options:
                records(option, seen)
        case Named():
            records(type_.get(), seen) if type_.name not in seen else None
    return seen


def test_a_record_name_means_one_record() -> None:
    seen: dict[str, list[Record]] = {}
    for type_ in FILES.values():
        records(type_, seen)
    assert {name for name, found in seen.items() if len(found) > 1} == set()


def test_every_field_is_explained() -> None:
    for record in (ACTIVITY, TRIGGER, STEP, LIMITS, SEND, POLICY, SOURCE, MATERIAL, MINI_PROGRAM):
        for field in record.fields:
            assert field.doc.endswith("."), (record.name, field.name)


@pytest.mark.parametrize(("struct", "record"), [(Material, MATERIAL), (MiniProgram, MINI_PROGRAM)])
def test_what_templates_read_of_a_material_is_what_is_declared(struct: type[msgspec.Struct], record: Record) -> None:
    assert struct.__struct_fields__ == tuple(field.name for field in record.fields)


def test_headers_are_named_as_templates_name_them() -> None:
    for name in (name for channel in CHANNELS.values() for name in channel.headers or ()):
        assert split_head(f"{name}: x\n\n").headers[0].name == name


def test_the_reference_in_the_docs_is_fresh() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run: kairos schema --reference > docs/reference.md"
