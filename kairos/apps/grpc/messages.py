"""SendRequest -> items of the intake, outcomes -> SendResponse. An event's fields become JSON as protobuf defines it:
a double without fraction is an integer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value
from google.rpc.code_pb2 import INVALID_ARGUMENT, OK

from kairos.apps.gateway.problem import Problem, check_count
from kairos.apps.grpc.events_pb2 import Event, Result, SendRequest, SendResponse
from kairos.engine.event import EventError
from kairos.engine.source.normalise import Refusal
from kairos.engine.strict_json import document_of
from kairos.usecases.intake.batch import Item, Outcome

EXACT = 2**53
"""Doubles hold all integers up to it."""
FIELDS = ("id", "type", "user_id", "time")


def read_request(message: bytes) -> list[Item]:
    """Raises Problem."""
    try:
        request = SendRequest.FromString(message)
    except DecodeError:
        raise Problem(400, "not_protobuf", "the message is no kairos.v1.SendRequest, or nested too deeply") from None
    check_count(len(request.events))
    return [_item(event) for event in request.events]


def write_response(outcomes: Sequence[Outcome]) -> bytes:
    results = [_result(outcome) for outcome in outcomes]
    refused = sum(result.code != OK for result in results)
    return SendResponse(accepted=len(results) - refused, refused=refused, results=results).SerializeToString()


def _item(event: Event) -> Item:
    fields = {name: value for name in FIELDS if (value := getattr(event, name))}
    content = event.WhichOneof("content")
    if content == "json":
        return Item(event.json, _alone(fields))
    try:
        if content == "props_json":
            fields["props"] = document_of(event.props_json)
        elif content == "props":
            fields["props"] = _object(event.props)
    except EventError as error:
        return Item(event.SerializeToString(), Refusal(error.reason, f"the props are no JSON object: {error.message}"))
    return Item(msgspec.json.encode(fields), fields)


def _alone(fields: dict[str, Any]) -> Refusal | None:
    if not fields:
        return None
    return Refusal("bad_field", f"'json' is the whole event; {', '.join(fields)} must be empty beside it")


def _object(struct: Struct) -> dict[str, Any]:
    return {name: _value(value) for name, value in struct.fields.items()}


def _value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _object(value.struct_value)
    if kind == "list_value":
        return [_value(each) for each in value.list_value.values]
    if kind == "number_value":
        return _number(value.number_value)
    return None if kind in (None, "null_value") else getattr(value, kind)


def _number(number: float) -> float:
    if not math.isfinite(number):
        raise EventError("number_range", f"{number} is no number of JSON")
    return int(number) if number.is_integer() and abs(number) <= EXACT else number


def _result(outcome: Outcome) -> Result:
    return Result(
        status=outcome.status.upper(),
        code=INVALID_ARGUMENT if outcome.status == "refused" else OK,
        reason=outcome.reason or "",
        message=outcome.message or "",
    )
