"""What every program must do that decodes in several threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec


def work_out_structs() -> None:
    """For all structs that are imported by now; called where no second thread runs.

    msgspec (0.22) works out what a Struct looks like when it is first decoded, and a second thread that comes meanwhile
    finds half of it: the process ends by a segmentation fault, without a word.
    """
    for kind in _structs(msgspec.Struct):
        with suppress(TypeError, NameError):  # one that is never decoded: it holds what no format has
            msgspec.msgpack.Decoder(kind)


def _structs(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _structs(kind)
