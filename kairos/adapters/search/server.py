"""Entries in OpenSearch or Elasticsearch, by their own clients: an index a kind, behind an alias that flips at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kairos.adapters.search.port import Entry, Hit, Kind, SearchError
from kairos.adapters.search.sqlite import KINDS

PREFIX = "kairos"
TIMEOUT_SECONDS = 30
AT_ONCE = 1_000
_CLIENTS = {"opensearch": ("opensearchpy", "OpenSearch"), "elasticsearch": ("elasticsearch", "Elasticsearch")}
_MAPPING = {
    "mappings": {
        "dynamic": False,
        "properties": {
            "user_id": {"type": "keyword"},
            "terms": {"type": "keyword", "normalizer": "plain"},
            "at": {"type": "long"},
        },
    },
    "settings": {
        "number_of_shards": 1,
        "analysis": {"normalizer": {"plain": {"type": "custom", "filter": ["lowercase"]}}},
    },
}
_T = TypeVar("_T")


class ServerSearch:
    """`kind`: opensearch or elasticsearch; `url`: with user and password where they are wanted, its path the prefix of
    the indexes. The indexes are made where there are none."""

    def __init__(self, kind: str, url: str) -> None:
        parts = urlsplit(url)
        self._place = f"{kind} at {parts.hostname}:{parts.port or ''}".rstrip(":")
        self._prefix = parts.path.strip("/") or PREFIX
        module, name = _CLIENTS[kind]
        library = import_module(module)
        self._failures: tuple[type[Exception], ...] = tuple(
            getattr(library, failure)
            for failure in ("TransportError", "ApiError", "OpenSearchException")
            if hasattr(library, failure)
        )
        self._bulk: Callable[..., Any] = import_module(f"{module}.helpers").bulk
        host = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        login = (parts.username, parts.password) if parts.username else None
        key = "http_auth" if kind == "opensearch" else "basic_auth"
        timeout = "timeout" if kind == "opensearch" else "request_timeout"
        self._client: Any = getattr(library, name)([host], **{key: login, timeout: TIMEOUT_SECONDS})
        self._guarded(self._create)

    def put(self, entries: Iterable[Entry]) -> None:
        self._guarded(lambda: self._write(entries, self._alias))
        self._guarded(lambda: self._client.indices.refresh(index=self._all()))

    def replace(self, entries: Iterable[Entry]) -> int:
        return self._guarded(lambda: self._replace(entries))

    def _replace(self, entries: Iterable[Entry]) -> int:
        old = {kind: self._behind(kind) for kind in KINDS}
        new = {kind: self._make(kind, 1 + max((int(n.rpartition("-")[2]) for n in old[kind]), default=0))
               for kind in KINDS}  # fmt: skip
        count = self._write(entries, lambda kind: new[kind])
        self._client.indices.refresh(index=",".join(new.values()))
        actions: list[dict[str, Any]] = []
        for kind in KINDS:
            actions += [{"remove": {"index": name, "alias": self._alias(kind)}} for name in old[kind]]
            actions.append({"add": {"index": new[kind], "alias": self._alias(kind)}})
        self._client.indices.update_aliases(body={"actions": actions})
        for names in old.values():
            for name in names:
                self._client.indices.delete(index=name)
        return count

    def find(self, terms: Sequence[str], most: int) -> list[Hit]:
        asked = [term.lower() for term in terms if term]
        return self._guarded(lambda: [hit for kind in KINDS for hit in self._found(kind, asked, most)])

    def _found(self, kind: Kind, asked: Sequence[str], most: int) -> list[Hit]:
        order = [{"at": "desc"}, {"user_id": "asc"}]
        body = {"query": {"terms": {"terms": list(asked)}}, "sort": order, "size": most}
        hits = self._client.search(index=self._alias(kind), body=body)["hits"]["hits"]
        return [Hit(kind, hit["_source"]["user_id"], hit["_source"]["at"], hit["_source"]["about"]) for hit in hits]

    def forget(self, user_id: str) -> int:
        return self._guarded(lambda: self._delete({"term": {"user_id": user_id}}, self._all()))

    def trim(self, before: int) -> None:
        self._guarded(lambda: self._delete({"range": {"at": {"lt": before}}}, self._alias("decisions")))

    def close(self) -> None:
        self._client.close()

    def _delete(self, query: dict[str, Any], index: str) -> int:
        body = {"query": query}
        return int(self._client.delete_by_query(index=index, body=body, refresh=True, conflicts="proceed")["deleted"])

    def _write(self, entries: Iterable[Entry], index: Callable[[Kind], str]) -> int:
        done, _ = self._bulk(self._client, _actions(entries, index), chunk_size=AT_ONCE)
        return int(done)

    def _create(self) -> None:
        for kind in KINDS:
            if not self._client.indices.exists_alias(name=self._alias(kind)):
                self._client.indices.put_alias(index=self._make(kind, 1), name=self._alias(kind))

    def _make(self, kind: Kind, number: int) -> str:
        """A new, empty index; what a replacement that was killed has left under this name is gone."""
        name = f"{self._alias(kind)}-{number}"
        if self._client.indices.exists(index=name):
            self._client.indices.delete(index=name)
        self._client.indices.create(index=name, body=_MAPPING)
        return name

    def _behind(self, kind: Kind) -> list[str]:
        return sorted(self._client.indices.get_alias(name=self._alias(kind)))

    def _alias(self, kind: Kind) -> str:
        return f"{self._prefix}-{kind}"

    def _all(self) -> str:
        return ",".join(self._alias(kind) for kind in KINDS)

    def _guarded(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except self._failures as error:
            raise SearchError(f"{self._place}: {str(error).splitlines()[0]}") from None


def _actions(entries: Iterable[Entry], index: Callable[[Kind], str]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield {
            "_index": index(entry.kind),
            "_id": entry.key.replace("\0", "\n")[:500],
            "user_id": entry.user_id,
            "at": entry.at,
            "terms": list(entry.terms),
            "about": entry.about,
        }
