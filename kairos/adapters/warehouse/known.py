"""Whom the warehouse has events of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.event import CATALOG_ITEM


def who_did_something(folder: str | None) -> Iterator[str]:
    """Nobody where there is no warehouse (yet). Raises WarehouseError."""
    if folder is None or not Folder(Path(folder)).exists:
        return
    engine = open_engine(Path(folder))
    try:
        users = engine.query("SELECT DISTINCT user_id FROM events WHERE type <> $item", {"item": CATALOG_ITEM})
        yield from (user for (user,) in users.rows)
    finally:
        engine.close()
