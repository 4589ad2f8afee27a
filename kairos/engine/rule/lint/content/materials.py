"""Materials: names and fields that templates read and nobody has written down, and what nobody reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kairos.engine.rule.content.template_facts import TemplateFacts, Variable
from kairos.engine.rule.content.template_place import TemplatePlaces
from kairos.engine.rule.fields.materials import MATERIAL
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.fields.types import Record
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.text.report import Report, listed, nearest

_FILE = "materials.yaml"


def check_materials(facts: TemplateFacts, world: World, places: TemplatePlaces) -> None:
    for variable in facts.variables:
        root, *path = variable.name.split(".")
        if root == "material" and world.material_names is not None:
            _check_path(variable, path, world, places)


def _check_path(variable: Variable, path: list[str], world: World, places: TemplatePlaces) -> None:
    name, *fields = path
    if name not in (known := world.material_names or frozenset()):
        hint = nearest(name, known) or (f"there are: {listed(sorted(known)[:10], 'and')}" if known else None)
        message = f"there is no material '{name}'"
        places.error(variable.template, variable.offset, "unknown-material", message, hint or f"define it in {_FILE}")
    elif problem := _unknown_field(fields):
        places.error(variable.template, variable.offset, "unknown-material-field", *problem)
    elif name in world.materials and (lacking := _lacking(world.materials[name], fields)):
        message = f"the material '{name}' has no {lacking}"
        hint = f"add it in {_FILE}"
        places.error(variable.template, variable.offset, "unknown-material-field", message, hint)


def _unknown_field(fields: list[str]) -> tuple[str, str | None] | None:
    """What is wrong with this path, of whichever material, and a hint."""
    declared: Record | None = MATERIAL
    for field in fields:
        if declared is None:
            return f"'{'.'.join(fields)}' goes too deep: a material's field '{fields[0]}' is a text", None
        if (found := declared.field(field)) is None:
            names = [f.name for f in declared.fields]
            hint = nearest(field, names) or f"fields: {listed(names, 'and')}"
            return f"'{field}' is no field of a {declared.name.replace('_', '-')}", hint
        declared = found.type if isinstance(found.type, Record) else None
    if declared is not None:
        names = [f"{fields[-1]}.{f.name}" for f in declared.fields]
        return f"'{fields[-1]}' is read field by field", f"read {listed(names)}"
    return None


def _lacking(material: object, fields: list[str]) -> str:
    """The field that is not written there; empty: all are."""
    at = material
    for field in fields:
        at = getattr(at, field)
        if at is None:
            return field
    return ""


def check_unused(materials: Value, facts: Iterable[TemplateFacts], reports: Mapping[str, Report]) -> None:
    """Only where all templates could be read."""
    read = {v.name.split(".")[1] for found in facts for v in found.variables if v.name.startswith("material.")}
    for name, key in materials.keys.items():
        if name not in read:
            message = f"no template reads the material '{name}'"
            reports[_FILE].warning(key, "unused-material", message, f"read it as material.{name}.<field>, or remove it")
