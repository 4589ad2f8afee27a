"""One SQL for both engines."""

from __future__ import annotations

import pytest

from kairos.adapters.warehouse.port import QueryError
from kairos.adapters.warehouse.sql import to_trino


def test_values_stand_in_place_of_names() -> None:
    sql = "SELECT props->>'$.a' FROM events WHERE type IN $types AND user_id = $user AND time_ms < $until"
    values = {"types": ["a", "it's"], "user": "u' OR 1=1", "until": 5}
    assert to_trino(sql, values) == (
        "SELECT JSON_EXTRACT_SCALAR(props, '$.a') FROM events "
        "WHERE type IN ('a', 'it''s') AND user_id = 'u'' OR 1=1' AND time_ms < 5"
    )


def test_a_list_of_nothing_holds_nothing() -> None:
    assert to_trino("SELECT 1 FROM events WHERE type IN $types", {"types": []}) == "SELECT 1 FROM events WHERE FALSE"


@pytest.mark.parametrize("sql", ["SELECT $a", "SELECT 1; SELECT 2", "SELEC 1 FRM", ""])
def test_what_cannot_be_asked(sql: str) -> None:
    with pytest.raises(QueryError):
        to_trino(sql, {})
