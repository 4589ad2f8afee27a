"""DuckDB over the folder of a warehouse."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.journal import LOCK
from kairos.adapters.warehouse.lock import Lock
from kairos.adapters.warehouse.opening import open_about, open_engine
from kairos.adapters.warehouse.port import QueryError, WarehouseError
from kairos.engine.warehouse.tables import TABLES, described
from tests.unit.warehouse.warehouse_kit import decision, event, fill, receipt


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "w")
    folder.create()
    return folder


def test_an_empty_warehouse_has_every_table_with_its_columns(folder: Folder) -> None:
    engine = open_engine(folder.path)
    for table in TABLES.values():
        expected = {**table.types, **({"dt": "DATE"} if table.time else {})}
        assert engine.columns(table.name) == expected
        assert engine.query(f"SELECT count(*) FROM {table.name}").rows == [(0,)]


def test_kept_by_activity_the_tables_say_the_same(folder: Folder) -> None:
    """Whatever activities are called; also where there are no rows."""
    names = ["a", "a.b", "a/b", "A b=c", "%41", "\u4e2d\u6587", "..", "it's"]
    fill(
        folder.path,
        decisions=[decision(activity=name, user_id=f"u{n}") for n, name in enumerate(names)],
        receipts=[receipt(user=f"u{n}", activity=name) for n, name in enumerate(names)],
    )
    tables = [TABLES["decisions"], TABLES["receipts"]]

    def told() -> list[object]:
        answers = [engine.query(f"SELECT * FROM {table.name} ORDER BY user_id") for table in tables]
        of_one = [engine.query("SELECT user_id FROM decisions WHERE activity = $a", {"a": a}).rows for a in names]
        return [answers, of_one, [engine.columns(table.name) for table in tables]]

    with closing(open_engine(folder.path)) as engine:
        before = told()
        engine.by_activity(*tables)
        assert told() == before
    (empty := Folder(folder.path / "empty")).create()
    with closing(open_engine(empty.path)) as engine:
        before = told()
        engine.by_activity(*tables)
        assert told() == before


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('{outside}')", "COPY events TO '{outside}'"],
)
def test_nothing_but_the_warehouse_is_within_reach(folder: Folder, tmp_path: Path, sql: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("secret")
    with pytest.raises(QueryError, match=r"Permission|disabled"):
        open_engine(folder.path).query(sql.format(outside=outside))
    assert outside.read_text() == "secret"


def test_a_file_whose_rows_are_damaged_is_said_and_nobody_is_left_reading(folder: Folder) -> None:
    """Its columns can still be read, so it shows only when somebody asks for rows."""
    fill(folder.path, events=[event(f"e{n}", user_id=f"u{n}", props={"text": "x" * n}) for n in range(200)])
    (file,) = folder.files(TABLES["events"])
    content = file.read_bytes()
    file.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    with pytest.raises(WarehouseError, match=str(folder.path)):
        open_about(folder.path, "u1")
    Lock(folder.path / LOCK, wait=False).close()


def test_what_cannot_be_read_is_not_taken_for_an_empty_table(folder: Folder) -> None:
    table = TABLES["events"]
    (folder.path / table.name).rmdir()
    before = folder.fingerprint()
    assert folder.files(table) == []
    (folder.path / table.name).write_text("no folder")
    for ask in (folder.fingerprint, lambda: folder.files(table), lambda: open_engine(folder.path)):
        with pytest.raises(WarehouseError, match="events cannot be read: Not a directory"):
            ask()
    (folder.path / table.name).unlink()
    assert folder.fingerprint() == before
    Lock(folder.path / LOCK, wait=False).close()


def test_without_a_warehouse(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="kairos warehouse load"):
        open_engine(tmp_path / "nothing")


def test_another_folder_is_not_made_a_warehouse(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("")
    with pytest.raises(WarehouseError, match="other files"):
        Folder(tmp_path).create()


def test_the_documentation_has_the_tables_as_they_are() -> None:
    page = Path(__file__).parents[3] / "docs" / "warehouse.md"
    assert page.read_text(encoding="utf-8").endswith(f"\n{described()}\n"), f"write it anew:\n{described()}"


def test_about_a_user_it_is_asked_what_is_there_now(folder: Folder) -> None:
    """Whatever was opened before, of whomever; and nobody who loads waits for what is kept open."""

    def known(user: str) -> list[tuple[object, ...]]:
        with closing(open_about(folder.path, user)) as engine:
            return engine.query("SELECT user_id, id FROM events ORDER BY id").rows

    assert known("u1") == []
    for number in range(4):
        fill(folder.path, events=[event(f"e{number}"), event(f"o{number}", user_id="other")])
        mine = [("u1", f"e{earlier}") for earlier in range(number + 1)]
        assert known("u1") == mine
        assert known("nobody") == []
        assert known("u1") == mine
        assert known("other") == [("other", f"o{earlier}") for earlier in range(number + 1)]


def test_several_ask_about_users_at_one_time(folder: Folder) -> None:
    fill(folder.path, events=[event(f"e{number}", user_id=f"u{number}") for number in range(20)])
    with ExitStack() as closed:
        engines = [closed.enter_context(closing(open_about(folder.path, f"u{number}"))) for number in range(20)]
        assert [engine.query("SELECT id FROM events").rows for engine in engines] == [[(f"e{n}",)] for n in range(20)]
        assert len({engine.scratch for engine in engines}) == 1
