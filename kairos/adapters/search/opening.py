"""Which store of search entries: a file of SQLite, or a server that speaks as Elasticsearch and OpenSearch do."""

from __future__ import annotations

from pathlib import Path

from kairos.adapters.search.port import SearchError, SearchStore
from kairos.adapters.search.sqlite import SqliteSearch

FILE = "sqlite:///"
SERVERS = ("opensearch", "elasticsearch")


def open_search(address: str) -> SearchStore:
    """`address`: `sqlite:///PATH`, or `opensearch+https://user:password@host:9200/prefix`, `elasticsearch+http://...`;
    the prefix begins the names of indexes. Raises SearchError."""
    kind, plus, url = address.partition("+")
    if plus and kind in SERVERS:
        try:
            from kairos.adapters.search.server import ServerSearch
        except ImportError:
            raise SearchError(f"the client of {kind} is not installed: pip install 'kairos[search]'") from None
        return ServerSearch(kind, url)
    if address.startswith(FILE):
        return SqliteSearch(Path(address.removeprefix(FILE)))
    raise SearchError(f"search.store '{address}': expected sqlite:///PATH, or opensearch+https://HOST:9200")
