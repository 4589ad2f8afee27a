"""The body of a request: of the type that is expected, and no larger than it may be."""

from __future__ import annotations

from starlette.requests import Request

from kairos.apps.api.answers import Problem


async def read_body(request: Request, media_type: str, most: int) -> bytes:
    """`most`: bytes. Raises Problem."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise Problem(415, "content_type", f"expected {media_type}")
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > most:
            raise Problem(413, "too_large", f"more than {most:,} bytes")
    return bytes(read)
