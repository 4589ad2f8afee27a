"""Sources of a rule folder: sources.yaml says what they send, the configuration how each may be reached."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kairos.adapters.sources.port import Access, Entry, Snapshot, SourceStoreError
from kairos.adapters.sources.text import SourceTextError, read_sources

FILE = "sources.yaml"


class FolderSourceStore:
    """`access`: source -> how it may be reached; one that is not named there cannot be."""

    def __init__(self, folder: str | Path, access: Mapping[str, Access]) -> None:
        self._file = Path(folder) / FILE
        self._access = access
        self._seen: bytes | None = None
        self._snapshot = Snapshot({})

    def read(self) -> Snapshot:
        try:
            content = self._file.read_bytes()
        except OSError as error:
            raise SourceStoreError(f"{self._file}: cannot be read: {error.strerror}") from None
        if content != self._seen:
            self._seen = content
            self._snapshot = self._made_of(content)
        return self._snapshot

    def _made_of(self, content: bytes) -> Snapshot:
        try:
            sources = read_sources(content, str(self._file))
        except SourceTextError as error:
            return Snapshot(self._snapshot.entries, tuple(str(finding) for finding in error.findings))
        entries = {name: Entry(source, self._access.get(name, Access())) for name, source in sources.items()}
        strangers = sorted(self._access.keys() - sources.keys())
        return Snapshot(entries, tuple(f"{self._file}: there is no source '{name}' in it" for name in strangers))
