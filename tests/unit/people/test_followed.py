"""What is loaded from Kafka is found, before its offsets are committed."""

from __future__ import annotations

import json
from pathlib import Path

from kairos.adapters.search.sqlite import SqliteSearch
from kairos.adapters.warehouse.feed import Taken
from kairos.engine.rule.model import RuleSet
from kairos.usecases.people.find import find
from kairos.usecases.warehouse.follow import Rhythm, Surroundings, follow
from tests.unit.warehouse.warehouse_kit import decision, event


class Feed:
    """`found`: who was found by the order when it was committed."""

    def __init__(self, store: SqliteSearch) -> None:
        self.store = store
        told = [
            ("events.app", event(props={"device_id": "d-9"})),
            ("decisions", decision(data={"order_id": "A-20417"})),
        ]
        self.records = [Taken(topic, json.dumps(value).encode(), f"{topic}/0@0") for topic, value in told]
        self.found: list[str] = []

    def take(self, seconds: float) -> list[Taken]:
        records, self.records = self.records, []
        return records

    def commit(self) -> None:
        self.found += [one.user_id for one in find(self.store, "A-20417")]

    def at_end(self) -> bool:
        return not self.records


def test_who_follows_into_a_warehouse_keeps_up_what_people_are_found_by(tmp_path: Path) -> None:
    store = SqliteSearch(tmp_path / "s.db")
    feed = Feed(store)
    beside = Surroundings(lambda: RuleSet(), lambda: {"u1": {"email": "ann@example.com"}})
    follow(
        feed, tmp_path / "w", beside, Rhythm(lambda: 0.0), stop=lambda: False, tell=lambda _: None,
        broken=lambda place, why: None, until_now=True, search=store,
    )  # fmt: skip
    assert feed.found == ["u1"]
    for text in ("ann@example.com", "d-9", "u1"):
        assert [one.user_id for one in find(store, text)] == ["u1"], text
    store.close()
