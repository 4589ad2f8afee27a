"""Console: messages for the eyes of whoever has started the worker, on its standard output."""

from __future__ import annotations

import sys
from typing import TextIO

import msgspec

from kairos.adapters.channels.channel import Accepted, Message, Misconfigured, Outcome
from kairos.adapters.channels.options import Surroundings


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """There is nothing to choose."""


def _printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def shown(message: Message) -> str:
    """The message as people read it: whom it goes to, its head, its text indented."""
    to = f"{message.user_id} at {message.address}" if message.address else message.user_id
    mark = "test, " if message.test is True else ""
    head = [f"{message.channel} to {to} ({mark}{message.activity}, attempt {message.attempt}, key {message.key})"]
    lines = [*(f"  {name}: {value}" for name, value in message.headers.items())]
    lines += [f"  {line}".rstrip() for line in message.text.splitlines()]
    return _printable("\n".join(head + lines)) + "\n"


class Console:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    async def send(self, message: Message) -> Outcome:
        try:
            self._stream.write(shown(message))
            self._stream.flush()
        except (OSError, ValueError) as error:
            return Misconfigured(f"standard output cannot be written: {error}")
        return Accepted(delivered=True)

    async def close(self) -> None:
        pass


def open_channel(options: Options, around: Surroundings) -> Console:
    return Console(sys.stdout)
