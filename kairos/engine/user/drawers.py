"""What is kept of a user under many names, packed: what an event does not touch is not unpacked for it.

Names lie in drawers, by a hash of theirs; there are twice as many drawers once those that there are get full. A drawer
is opened for its names, a value unpacked once it is asked for, and what was not asked for is written as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cached_property
from typing import TypeVar
from zlib import crc32

import msgspec

FEW = 12
"""So many names are not worth a drawer."""
FULL = 32
"""Names in a drawer, on average, before there are more drawers."""

T = TypeVar("T")
_Drawer = dict[str, bytes]
_open = msgspec.msgpack.Decoder(_Drawer).decode
_cut_apart = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode  # half as dear as into memoryviews
_inside = msgspec.msgpack.Decoder(memoryview).decode
_encode = msgspec.msgpack.Encoder().encode
_NEW = b""


class Packed(msgspec.Struct, array_like=True, gc=False):
    """`size`: of how many names; `drawers`: a power of two of them, each msgpack of name -> msgpack of the value.

    They are cut apart once a name is asked for: most events ask for none.
    """

    size: int
    drawers: msgspec.Raw


class Drawers(MutableMapping[str, T]):
    """As a dict, in no order. A value that was handed out may be changed in place."""

    def __init__(self, packed: Packed, unpack: Callable[[bytes], T]) -> None:
        self._size = packed.size
        self._packed = packed
        self._unpack = unpack
        self._open: dict[int, _Drawer] = {}
        self._changed: set[int] = set()
        self._out: dict[str, T] = {}

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        for number in range(len(self._closed)):
            yield from list(self._drawer(number))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._drawer(self._number(name))

    def __getitem__(self, name: str) -> T:
        if name in self._out:
            return self._out[name]
        value = self._out[name] = self._unpack(self._drawer(self._number(name))[name])
        return value

    def __setitem__(self, name: str, value: T) -> None:
        drawer = self._drawer(self._number(name))
        if name not in drawer:
            drawer[name] = _NEW
            self._size += 1
        self._out[name] = value

    def __delitem__(self, name: str) -> None:
        number = self._number(name)
        del self._drawer(number)[name]
        self._changed.add(number)
        self._out.pop(name, None)
        self._size -= 1

    def packed(self) -> Packed:
        for name, value in self._out.items():
            number, written = self._number(name), _encode(value)
            if written != self._open[number][name]:  # it may have been changed in place
                self._open[number][name] = written
                self._changed.add(number)
        if not self._changed:
            return self._packed
        wanted, there = _number_for(self._size), len(self._closed)
        if wanted > there or wanted * 4 <= there:
            return _spread({name: value for n in range(there) for name, value in self._drawer(n).items()})
        for number in self._changed:
            self._closed[number] = _closed(self._open[number])
        self._changed.clear()
        self._packed = Packed(self._size, msgspec.Raw(_encode(self._closed)))
        return self._packed

    @cached_property
    def _closed(self) -> list[msgspec.Raw]:
        return _cut_apart(self._packed.drawers)

    def _number(self, name: str) -> int:
        return crc32(name.encode()) & (len(self._closed) - 1)

    def _drawer(self, number: int) -> _Drawer:
        drawer = self._open.get(number)
        if drawer is None:
            drawer = self._open[number] = _open(_inside(self._closed[number]))
        return drawer


def pack(values: Mapping[str, object]) -> Packed:
    return _spread({name: _encode(value) for name, value in values.items()})


def _spread(values: Mapping[str, bytes]) -> Packed:
    drawers: list[_Drawer] = [{} for _ in range(_number_for(len(values)))]
    for name, value in values.items():
        drawers[crc32(name.encode()) & (len(drawers) - 1)][name] = value
    return Packed(len(values), msgspec.Raw(_encode([_closed(drawer) for drawer in drawers])))


def _closed(drawer: _Drawer) -> msgspec.Raw:
    return msgspec.Raw(_encode(_encode(drawer)))


def _number_for(size: int) -> int:
    number = 1
    while number * FULL < size:
        number *= 2
    return number
