"""File: one JSON line a message, appended with one write, so several workers may share a file."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from kairos.adapters.channels.channel import Accepted, Message, Misconfigured, Outcome, Unknown
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`path`: relative to the working directory; its folder is made if it is missing."""

    path: str


class File:
    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self._encoder = msgspec.json.Encoder()
        self._torn = False

    async def send(self, message: Message) -> Outcome:
        line = self._encoder.encode(message) + b"\n"
        if self._torn:
            line = b"\n" + line  # what a full disk cut short stays a line of its own
        try:
            written = os.write(self._file, line)
        except OSError as error:
            return Misconfigured(f"the file cannot be written: {error.strerror}")
        self._torn = written < len(line)
        return Unknown("the line was written in part") if self._torn else Accepted(delivered=True)

    async def close(self) -> None:
        os.close(self._file)


def open_channel(options: Options, around: Surroundings) -> File:
    try:
        return File(Path(options.path))
    except OSError as error:
        raise ChannelSettingsError(f"{around.place}.path: {options.path}: {error.strerror}") from None
