"""JSON Schema of every file of a rule folder, from the field declarations: for editors, which check while one types."""

from __future__ import annotations

from typing import Any

from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.alarms import ALARMS
from kairos.engine.rule.fields.catalog import CATALOGS, COUPONS
from kairos.engine.rule.fields.crowds import CROWDS
from kairos.engine.rule.fields.examples import EXAMPLES
from kairos.engine.rule.fields.journey import JOURNEY
from kairos.engine.rule.fields.materials import MATERIALS
from kairos.engine.rule.fields.measures import MEASURES
from kairos.engine.rule.fields.metrics import METRICS
from kairos.engine.rule.fields.numbers import NUMBERS
from kairos.engine.rule.fields.plan import PLAN
from kairos.engine.rule.fields.policy import POLICY, TOPICS
from kairos.engine.rule.fields.scores import GRADES, SCORES
from kairos.engine.rule.fields.sources import PROFILE, SOURCES
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Anything,
    Boolean,
    Choice,
    Clock,
    Duration,
    Expression,
    Field,
    Filled,
    Integer,
    ListOf,
    MapOf,
    Moment,
    Named,
    Number,
    OneOf,
    Percent,
    PositiveNumber,
    Record,
    Text,
    TimeZone,
    Type,
)
from kairos.engine.rule.fields.workflow import WORKFLOW
from kairos.engine.rule.text.scalars import CLOCK, DURATION, MOMENT, PERCENT

FILES: dict[str, Type] = {
    "activity": ACTIVITY,
    "journey": JOURNEY,
    "examples": EXAMPLES,
    "metrics": METRICS,
    "crowds": CROWDS,
    "policy": POLICY,
    "topics": TOPICS,
    "catalogs": CATALOGS,
    "coupons": COUPONS,
    "sources": SOURCES,
    "profile": PROFILE,
    "materials": MATERIALS,
    "numbers": NUMBERS,
    "measures": MEASURES,
    "scores": SCORES,
    "grades": GRADES,
    "plan": PLAN,
    "workflow": WORKFLOW,
    "alarms": ALARMS,
}

Schema = dict[str, Any]


def json_schema() -> Schema:
    """One document; an editor takes the part of a file: `#/$defs/activity`, `#/$defs/metrics`, ..."""
    builder = _Builder()
    for name, type_ in FILES.items():
        builder.definitions[name] = builder.schema(type_, inline=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Files of a Kairos rule folder",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in FILES],
        "$defs": dict(sorted(builder.definitions.items())),
    }


class _Builder:
    """Records become definitions of their own, by name, so that they are written once and may refer to themselves."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def schema(self, type_: Type, inline: bool = False) -> Schema:
        match type_:
            case Named():
                return self.schema(type_.get())
            case Filled():
                return {}
            case Record():
                return self._record(type_) if inline else self._reference(type_)
            case MapOf():
                return {
                    "type": "object",
                    "propertyNames": {"pattern": _whole(type_.key.pattern)} if type_.key.pattern else {},
                    "additionalProperties": self.schema(type_.value),
                    "minProperties": type_.shortest,
                }
            case ListOf():
                many = {
                    "type": "array",
                    "items": self.schema(type_.item),
                    "minItems": type_.shortest,
                    "maxItems": type_.longest,
                }
                return {"anyOf": [self.schema(type_.item), many]} if type_.one else many
            case OneOf():
                return {"anyOf": [self.schema(option) for option in type_.options]}
        return _scalar(type_)

    def _reference(self, record: Record) -> Schema:
        name = record.name.replace(" ", "_")
        if name not in self.definitions:
            self.definitions[name] = {}  # taken, should the record refer to itself
            self.definitions[name] = self._record(record)
        return {"$ref": f"#/$defs/{name}"}

    def _record(self, record: Record) -> Schema:
        schema: Schema = {
            "type": "object",
            "description": record.doc,
            "properties": {field.name: self._field(field) for field in record.fields},
            "additionalProperties": self.schema(record.other) if record.other else False,
        }
        if required := [field.name for field in record.fields if field.default is REQUIRED]:
            schema["required"] = required
        if record.choose:
            schema["oneOf"] = [_kind(record, name) for name in record.choose]
        return schema

    def _field(self, field: Field) -> Schema:
        schema = {**self.schema(field.type), "description": field.doc}
        if isinstance(field.default, str | int) and field.shown_default is None:
            schema["default"] = field.default
        return schema


def _kind(record: Record, name: str) -> Schema:
    others = [other for other, keys in record.beside if name in keys]
    unless: Schema = {"not": {"anyOf": [{"required": [other]} for other in others]}} if others else {}
    return {"required": [name], **unless}


def _scalar(type_: Type) -> Schema:
    match type_:
        case Text():
            limits: Schema = {"minLength": type_.shortest, "maxLength": type_.longest}
            pattern = {"pattern": _whole(type_.pattern)} if type_.pattern else {}
            return {"type": ["string", "number"] if type_.loose else "string", **limits, **pattern}
        case Choice():
            return {"enum": list(type_.values)}
        case Integer():
            most = {} if type_.most is None else {"maximum": type_.most}
            return {"type": "integer", "minimum": type_.least, **most}
        case Number():
            return {"type": "number"}
        case PositiveNumber():
            return {"type": "number", "minimum" if type_.zero else "exclusiveMinimum": 0}
        case Boolean():
            return {"type": "boolean"}
        case Duration():
            return _pattern(rf"(?=.){DURATION}", type_.expected)
        case Percent():
            return _pattern(PERCENT, type_.expected)
        case Clock():
            return _pattern(CLOCK, type_.expected)
        case Moment():
            return _pattern(MOMENT, type_.expected)
        case TimeZone():
            return {"type": "string", "title": type_.expected}
        case Expression():
            return _expression(type_)
        case Anything():
            return {}
    raise TypeError(type_)


def _expression(type_: Expression) -> Schema:
    plain = {"type": ["string", "number", "boolean"], "title": type_.expected}
    if not type_.script:
        return plain
    js: Schema = {"type": "object", "properties": {"js": {"type": "string"}}, "required": ["js"]}
    return {"anyOf": [plain, {**js, "additionalProperties": False}]}


def _pattern(pattern: str, title: str) -> Schema:
    return {"type": "string", "pattern": _whole(pattern), "title": title}


def _whole(pattern: str) -> str:
    return f"^({pattern})$"
