"""The embedded search store."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.adapters.search.entries import asked_terms, person_entry
from kairos.adapters.search.opening import open_search
from kairos.adapters.search.port import SearchError
from kairos.adapters.search.sqlite import SqliteSearch, number_of
from tests.unit.people.search_contract import NOON, SearchContract, decision, people
from tests.unit.people.search_contract import test_numbers_of_things_are_told_from_words_and_counts as test_numbers

__all__ = ["test_numbers"]


class TestSqlite(SearchContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteSearch]:
        store = SqliteSearch(tmp_path / "search.db")
        yield store
        store.close()


def test_a_reader_answers_while_everything_is_made_anew(tmp_path: Path) -> None:
    writer, reader = SqliteSearch(tmp_path / "s.db"), SqliteSearch(tmp_path / "s.db")
    writer.put([person_entry("u1")])
    writer.replace([person_entry("u2")])
    assert people(reader.find(asked_terms("u1"), 9)) == ["u1"], "it reads the file that it opened"
    reader.close()
    fresh = SqliteSearch(tmp_path / "s.db")
    assert people(fresh.find(asked_terms("u2"), 9)) == ["u2"]
    assert fresh.find(asked_terms("u1"), 9) == []
    for store in (writer, fresh):
        store.close()


def test_the_file_is_its_users_alone(tmp_path: Path) -> None:
    SqliteSearch(tmp_path / "s.db").close()
    assert stat.S_IMODE((tmp_path / "s.db").stat().st_mode) == 0o600


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(b"not a database, but long enough to be looked at" * 10)
    with pytest.raises(SearchError, match=r"s\.db"):
        SqliteSearch(tmp_path / "s.db")


def test_numbers_rise_with_time_and_differ_within_it() -> None:
    entries = [decision("u1", f"A-{n}", NOON + n * 3_600_000) for n in range(50)]
    numbers = [number_of(entry) for entry in entries]
    assert numbers == sorted(numbers)
    assert len({number_of(decision("u1", f"A-{n}")) for n in range(1_000)}) == 1_000
    assert max(numbers) < 2**63


@pytest.mark.parametrize("address", ["mysql://x", "search.db", "solr+http://localhost"])
def test_an_address_of_something_else_is_refused(address: str) -> None:
    with pytest.raises(SearchError, match="expected sqlite"):
        open_search(address)
