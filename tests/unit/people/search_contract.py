"""What every store of search entries does. Its tests make a store for each technology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from kairos.adapters.search.entries import asked_terms, claim_entry, decision_entry, numbers_in, person_entry
from kairos.adapters.search.port import Entry, Hit, SearchStore
from kairos.adapters.warehouse.rows import hashed

NOON = 1_793_620_800_000
DAY = 86_400_000


def decision(user: str, order: str, at: int = NOON, outcome: str = "send") -> Entry:
    row = {"activity": "unpaid", "user_id": user, "occurrence": f"o-{order}", "attempt": 1, "outcome": outcome}
    return decision_entry({**row, "at_ms": at, "reason": None, "channel": "sms", "data": f'{{"order_id": "{order}"}}'})


def people(hits: Sequence[Hit]) -> list[str]:
    return [hit.user_id for hit in hits]


class SearchContract:
    """`store` is an empty one."""

    def test_a_person_is_found_by_each_thing_that_is_hers(self, store: SearchStore) -> None:
        store.put([
            person_entry("u-1", [hashed("ann@example.com"), hashed("+447700900123")]),
            claim_entry("u-1", "device_id", "D/77:ab"), claim_entry("u-1", "openid", "oX_1"),
            person_entry("u-2"), decision("u-1", "A-20417"), decision("u-2", "A-20418"),
        ])  # fmt: skip
        for text in ("u-1", "ann@example.com", "+44 7700 900123", "D/77:ab", "d/77:AB", "oX_1", "A-20417", "o-a-20417"):
            assert {hit.user_id for hit in store.find(asked_terms(text), 10)} == {"u-1"}, text
        for text in ("u", "ann", "example.com", "A-2041", "D/77", "", "   ", "%", '"', "u-1 OR u-2", "*"):
            assert store.find(asked_terms(text), 10) == [], text

    def test_people_come_first_and_then_the_newest_decisions(self, store: SearchStore) -> None:
        store.put([decision(f"u{day}", "A-1", NOON - day * DAY) for day in (2, 0, 1)])
        store.put([person_entry("A-1")])
        hits = store.find(asked_terms("A-1"), 10)
        assert people(hits) == ["A-1", "u0", "u1", "u2"]
        assert [hit.kind for hit in hits] == ["people", "decisions", "decisions", "decisions"]
        assert hits[1].at == NOON
        assert hits[1].about == "unpaid send sms"
        assert people(store.find(asked_terms("A-1"), 1)) == ["A-1", "u0"]

    def test_what_is_put_again_is_there_once(self, store: SearchStore) -> None:
        for _ in range(2):
            store.put([person_entry("u1", [hashed("old@example.com")]), decision("u1", "A-1")])
        assert len(store.find(asked_terms("u1"), 10)) == 2
        store.put([person_entry("u1", [hashed("new@example.com")])])
        assert store.find(asked_terms("old@example.com"), 10) == []
        assert people(store.find(asked_terms("new@example.com"), 10)) == ["u1"]

    def test_who_is_forgotten_is_found_no_more_and_nobody_else_is_gone(self, store: SearchStore) -> None:
        store.put([person_entry("u1"), claim_entry("u2", "merged", "u1"), decision("u1", "A-1"), decision("u2", "A-1")])
        assert store.forget("u1") == 2
        assert store.forget("u1") == 0
        assert people(store.find(asked_terms("A-1"), 10)) == ["u2"]
        assert people(store.find(asked_terms("u1"), 10)) == ["u2"]

    def test_decisions_that_are_too_old_go_and_people_stay(self, store: SearchStore) -> None:
        store.put([person_entry("u1"), decision("u1", "A-1", NOON - 91 * DAY), decision("u1", "A-2", NOON)])
        store.trim(NOON - 90 * DAY)
        assert store.find(asked_terms("A-1"), 10) == []
        assert len(store.find(asked_terms("u1"), 10)) == 2

    def test_a_replacement_has_nothing_of_what_was(self, store: SearchStore) -> None:
        store.put([person_entry("u1"), decision("u1", "A-1")])
        for _ in range(2):
            assert store.replace([person_entry("u2"), decision("u2", "A-2")]) == 2
        assert store.find(asked_terms("u1"), 10) == []
        assert len(store.find(asked_terms("u2"), 10)) == 2
        store.put([person_entry("u3")])
        assert people(store.find(asked_terms("u3"), 10)) == ["u3"]

    def test_one_that_fails_half_way_leaves_what_was(self, store: SearchStore) -> None:
        store.put([person_entry("u1")])

        def broken() -> Iterator[Entry]:
            yield person_entry("u2")
            raise KeyError("the warehouse went away")

        with pytest.raises(KeyError):
            store.replace(broken())
        assert people(store.find(asked_terms("u1"), 10)) == ["u1"]
        assert store.find(asked_terms("u2"), 10) == []


def test_numbers_of_things_are_told_from_words_and_counts() -> None:
    data = {"order": {"id": 20417, "lines": [{"sku": "B-7"}]}, "platform": "mobile", "n": 3, "ok": True, "x": "9" * 200}
    assert numbers_in(data) == ["20417", "B-7"]
