from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SendRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "type", "user_id", "time", "props", "props_json", "json")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PROPS_FIELD_NUMBER: _ClassVar[int]
    PROPS_JSON_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: str
    user_id: str
    time: int
    props: _struct_pb2.Struct
    props_json: bytes
    json: bytes
    def __init__(self, id: _Optional[str] = ..., type: _Optional[str] = ..., user_id: _Optional[str] = ..., time: _Optional[int] = ..., props: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., props_json: _Optional[bytes] = ..., json: _Optional[bytes] = ...) -> None: ...

class SendResponse(_message.Message):
    __slots__ = ("accepted", "refused", "results")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    refused: int
    results: _containers.RepeatedCompositeFieldContainer[Result]
    def __init__(self, accepted: _Optional[int] = ..., refused: _Optional[int] = ..., results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("status", "code", "reason", "message")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNKNOWN: _ClassVar[Result.Status]
        ACCEPTED: _ClassVar[Result.Status]
        WAITING: _ClassVar[Result.Status]
        BOUND: _ClassVar[Result.Status]
        REFUSED: _ClassVar[Result.Status]
    UNKNOWN: Result.Status
    ACCEPTED: Result.Status
    WAITING: Result.Status
    BOUND: Result.Status
    REFUSED: Result.Status
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    status: Result.Status
    code: int
    reason: str
    message: str
    def __init__(self, status: _Optional[_Union[Result.Status, str]] = ..., code: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
