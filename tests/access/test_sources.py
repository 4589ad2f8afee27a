"""Stores of sources: tables in SQLite, and the rule folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.adapters.sources.port import Access, Entry, SourceStoreError, key_hash, open_source_store
from kairos.adapters.sources.text import SourceTextError, read_sources, write_source
from kairos.engine.rule.load import load
from tests.access import source_store_contract as contract
from tests.access.source_store_contract import APP, SHOP


@pytest.mark.parametrize("check", contract.CHECKS)
def test_sqlite(check: Callable[[str], None], tmp_path: Path) -> None:
    check(f"sqlite:///{tmp_path}/new folder/control.db")


@pytest.mark.parametrize("address", ["mysql+pymysql://kairos:secret@127.0.0.1:1/kairos", "oracle://u:secret@h"])
def test_a_database_that_is_away_is_told_as_such(address: str) -> None:
    with pytest.raises(SourceStoreError, match="store of sources") as raised:
        open_source_store(address, {}).read()
    assert "secret" not in str(raised.value)


def test_the_rule_folder(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    access = {"shop": Access((key_hash("k"),), rate=5)}
    folder = open_source_store(str(tmp_path), access)
    with pytest.raises(SourceStoreError, match=r"sources\.yaml: cannot be read"):
        folder.read()
    file.write_text("shop: {events: {order: {order_id: string!}}}\n")
    assert folder.read().entries == {"shop": Entry(SHOP, access["shop"])}
    file.write_text("shop: {evnets: {}}\n")
    found = folder.read()
    assert found.entries == {"shop": Entry(SHOP, access["shop"])}
    (problem,) = found.problems
    assert problem.startswith(f"{file}:1:8: error: ")
    assert "did you mean 'events'?" in problem
    file.write_text("web: {}\n")
    found = folder.read()
    assert list(found.entries) == ["web"]
    assert found.problems == (f"{file}: there is no source 'shop' in it",)


@pytest.mark.parametrize("source", [SHOP, APP])
def test_what_is_written_is_read_as_the_same(source: object) -> None:
    assert read_sources(write_source(source).encode(), "x") == {source.name: source}  # type: ignore[attr-defined]


def test_sources_mean_what_the_rule_loader_makes_of_them() -> None:
    files = read_folder(Path(__file__).parents[2] / "rules")
    rules = load(files).rules
    content = files["sources.yaml"]
    assert rules is not None
    assert isinstance(content, bytes)
    assert read_sources(content, "sources.yaml") == rules.sources


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no source"),
        ("[shop]", "expected"),
        ("shop: {events: {order: {amount: money}}}", "money"),
        ("shop: {map: {id: 'a..b'}}", "path"),
        ("shop: [", "not valid YAML"),
        ("Shop: {}", "Shop"),
    ],
)
def test_findings(text: str, words: str) -> None:
    with pytest.raises(SourceTextError) as raised:
        read_sources(text.encode(), "new.yaml")
    assert str(raised.value).startswith("new.yaml:")
    assert words in str(raised.value)
