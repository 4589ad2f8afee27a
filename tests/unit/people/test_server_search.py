"""Both clients ask what was asked of a real OpenSearch, and make the same of its answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kairos.adapters.search.opening import open_search
from kairos.adapters.search.port import SearchError, SearchStore
from tests.unit.people.search_contract import SearchContract
from tests.unit.people.search_recording import Player, read, serving

NOTES = read()


class _Played(SearchContract):
    kind = ""

    @pytest.fixture
    def store(self, request: pytest.FixtureRequest) -> Iterator[SearchStore]:
        name = request.node.name
        player = Player(NOTES[name])
        with serving(player) as url:
            store = open_search(f"{self.kind}+{url}/t{list(NOTES).index(name)}")
            yield store
            store.close()
        assert player.strange == []


class TestOpenSearchClient(_Played):
    kind = "opensearch"


class TestElasticsearchClient(_Played):
    kind = "elasticsearch"


@pytest.mark.parametrize("kind", ["opensearch", "elasticsearch"])
def test_a_server_that_fails_is_named(kind: str) -> None:
    player = Player([])
    with serving(player) as url, pytest.raises(SearchError, match=f"{kind} at 127.0.0.1"):
        open_search(f"{kind}+{url}/x")
