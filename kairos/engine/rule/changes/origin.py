"""The mark that partial matches carry: which definition of their activity made them."""

from __future__ import annotations

VERSION_BYTES, SHAPE_BYTES = 8, 4


def origin_of(version: str, shape: str) -> bytes:
    """Version and shape of a definition, both in hex digits; of the shape as many as are enough to notice another."""
    return bytes.fromhex(version + shape[: 2 * SHAPE_BYTES])


def version_of(origin: bytes) -> str:
    return origin[:VERSION_BYTES].hex()


def shape_of(origin: bytes) -> bytes:
    return origin[VERSION_BYTES:]
