"""What every ledger does, whatever keeps it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from kairos.adapters.delivery.ledger import Call, Change, Ledger, Row
from kairos.adapters.delivery.tables import delivery_key


def row(number: int = 1, worker: str = "w1", state: str = "reserved", **more: object) -> Row:
    key = delivery_key("nudge", f"u{number}", "o1", 1)
    fields = {"lease_until": 100, "calls": 1, "reserved_at": 10, **more}
    return Row(key, "nudge", f"u{number}", "o1", 1, "sms", state, worker, **fields)  # type: ignore[arg-type]


def begun(reserved: Row) -> Call:
    return Call(reserved.key, reserved.calls, reserved.worker, 10)


def ended(reserved: Row, outcome: str) -> Call:
    return Call(reserved.key, reserved.calls, reserved.worker, 10, 20, outcome, "why")


def replace(known: Row, **changes: object) -> Row:
    return msgspec.structs.replace(known, **changes)


Calls = Callable[[], dict[tuple[str, int], Call]]


def check_the_first_row_wins(ledger: Ledger, calls: Calls) -> None:
    mine, theirs = row(worker="w1"), row(worker="w2")
    assert ledger.apply([Change(None, mine, begun(mine))]) == [mine]
    assert ledger.apply([Change(None, theirs, begun(theirs))]) == [mine]
    assert ledger.find(mine.key) == mine
    assert calls() == {(mine.key, 1): begun(mine)}


def check_the_same_change_again_counts_as_made(ledger: Ledger, calls: Calls) -> None:
    """So a commit whose answer was lost can be tried again."""
    mine = row()
    change = Change(None, mine, begun(mine))
    assert ledger.apply([change]) == ledger.apply([change]) == [mine]


def check_only_the_known_row_changes(ledger: Ledger, calls: Calls) -> None:
    mine = row()
    ledger.apply([Change(None, mine, begun(mine))])
    taken = replace(mine, worker="w2", calls=2, lease_until=200)
    assert ledger.apply([Change(mine, taken, begun(taken))]) == [taken]
    late = replace(mine, state="sent", settled_at=20)
    assert ledger.apply([Change(mine, late, ended(mine, "accepted"))]) == [taken]
    assert ledger.find(mine.key) == taken
    # that the first call ended is a fact all the same
    assert calls() == {(mine.key, 1): ended(mine, "accepted"), (mine.key, 2): begun(taken)}


def check_a_row_that_is_not_there_is_not_changed(ledger: Ledger, calls: Calls) -> None:
    mine = row()
    assert ledger.apply([Change(mine, replace(mine, state="sent"), ended(mine, "accepted"))]) == [None]
    assert ledger.find(mine.key) is None


def check_many_at_once(ledger: Ledger, calls: Calls) -> None:
    rows = [row(number) for number in range(1200)]
    assert ledger.apply([Change(None, each, begun(each)) for each in rows]) == rows
    sent = [replace(each, state="sent", settled_at=30, provider_id=f"p{each.user_id}", reason="é😀") for each in rows]
    more = [row(number) for number in range(1200, 1300)]
    changes = [Change(old, new, ended(old, "accepted")) for old, new in zip(rows, sent, strict=True)]
    assert ledger.apply([*changes, *(Change(None, each, begun(each)) for each in more)]) == [*sent, *more]
    assert ledger.find_by_provider("sms", "pu77") == sent[77]
    assert ledger.find_by_provider("push", "pu77") is None
    assert len(calls()) == 1300


def check_one_key_twice_in_a_batch(ledger: Ledger, calls: Calls) -> None:
    mine, theirs = row(worker="w1"), row(worker="w2")
    assert ledger.apply([Change(None, mine, begun(mine)), Change(None, theirs, begun(theirs))]) == [mine, mine]
    assert set(calls().values()) == {begun(mine)}


def check_names_differ_by_case(ledger: Ledger, calls: Calls) -> None:
    upper, lower = row(1, provider_id="AB"), row(2, provider_id="ab")
    ledger.apply([Change(None, upper), Change(None, lower)])
    assert ledger.find_by_provider("sms", "ab") == lower


def check_workers_that_race(ledger: Ledger, calls: Calls) -> None:
    """Every key is won by exactly one of four."""
    won: dict[str, set[str]] = {f"w{n}": set() for n in range(4)}

    def work(worker: str) -> None:
        for start in range(0, 400, 40):
            rows = [row(number, worker) for number in range(start, start + 40)]
            if worker in ("w1", "w3"):
                rows.reverse()
            results = ledger.apply([Change(None, each, begun(each)) for each in rows])
            won[worker] |= {each.key for each, result in zip(rows, results, strict=True) if result == each}

    threads = [threading.Thread(target=work, args=(worker,)) for worker in won]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(len, won.values())) == len(set().union(*won.values())) == 400
    assert {call.worker for call in calls().values()} <= set(won)
    assert len(calls()) == 400


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
