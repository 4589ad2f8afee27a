"""A call that is not served, as its sender is told: a status, and for programs google.rpc.ErrorInfo and RetryInfo.

`grpc-retry-pushback-ms` says the same as RetryInfo to a client that has a retry policy
(https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
"""

from __future__ import annotations

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from kairos.apps.gateway.problem import Problem

DOMAIN = "kairos"
CODES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.ALREADY_EXISTS,
    413: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    503: StatusCode.UNAVAILABLE,
}
"""Of the HTTP status that the same problem has there."""


def code_of(problem: Problem) -> StatusCode:
    return CODES[problem.status]


def metadata_of(problem: Problem) -> tuple[tuple[str, str | bytes], ...]:
    """The trailing metadata."""
    details: list[Message] = [ErrorInfo(reason=problem.code.upper(), domain=DOMAIN)]
    pushback: tuple[tuple[str, str | bytes], ...] = ()
    if problem.retry_after is not None:
        details.append(RetryInfo(retry_delay=Duration(seconds=problem.retry_after)))
        pushback = (("grpc-retry-pushback-ms", str(problem.retry_after * 1000)),)
    status = Status(code=code_of(problem).value[0], message=problem.message, details=map(_packed, details))
    return (("grpc-status-details-bin", status.SerializeToString()), *pushback)


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
