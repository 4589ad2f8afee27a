"""WeChat's flat XML: the texts of the elements under the root. No document type, hence no entities."""

from __future__ import annotations

from typing import Any, NoReturn
from xml.parsers import expat


def flat_xml(body: bytes) -> dict[str, str]:
    """{"Event": "subscribe", ...}, of elements right under the root. Raises ValueError."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ValueError(f"not XML: {error}") from None
    return reader.found


def _refuse(*declaration: Any) -> NoReturn:
    raise ValueError("XML with a document type is not read")


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) == 2:
            self.found[name] = ""

    def end(self, name: str) -> None:
        self._path.pop()

    def text(self, data: str) -> None:
        if len(self._path) == 2:
            self.found[self._path[1]] += data
