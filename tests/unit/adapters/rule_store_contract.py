"""What every rule store in SQL does, whatever the database: run by tests of SQLite and of MySQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sql

from kairos.adapters.rules.store import BrokenReleaseError, RuleStoreError, open_rule_store
from kairos.adapters.rules.store_sql import RELEASES
from kairos.engine.pattern import Pattern, Step
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release, encode


def release(number: int, priority: int = 50, padding: int = 0) -> Release:
    pattern = Pattern((Step("event", ("purchase",), "purchase"),))
    rules = RuleSet({"a": Activity("a", pattern, title="x" * padding, priority=priority)})
    return Release(number, rules, effective_at=number * 1000)


def check_publish_and_poll(address: str) -> None:
    """Two processes: one publishes, the other sees each release once."""
    publisher, job = open_rule_store(address), open_rule_store(address)
    assert job.latest(0) is None
    for number in (1, 2):
        publisher.publish(release(number, priority=number), {}, "ann")
        found = job.latest(number - 1)
        assert found == release(number, priority=number)
        assert job.latest(number) is None
    assert job.latest(0) == release(2, priority=2)


def check_large_release(address: str) -> None:
    """Larger than the 64 KB at which a plain BLOB of MySQL ends, and than one packet of its protocol by default."""
    large = release(1, padding=2_000_000)
    open_rule_store(address).publish(large, {}, "ann")
    assert open_rule_store(address).latest(0) == large


def check_overtaken(address: str) -> None:
    """Who planned against an older release must look again: nothing is overwritten."""
    ann, bob = open_rule_store(address), open_rule_store(address)
    ann.publish(release(1), {}, "ann")
    ann.publish(release(2, priority=1), {}, "ann")
    with pytest.raises(RuleStoreError, match="release 2 was published meanwhile"):
        bob.publish(release(2, priority=99), {}, "bob")
    with pytest.raises(RuleStoreError):
        bob.publish(release(4), {}, "bob")
    assert bob.latest(0) == release(2, priority=1)


def check_broken_row(address: str) -> None:
    """Reported once; then the last good release is what there is."""
    store = open_rule_store(address)
    store.publish(release(1), {}, "ann")
    engine = sql.create_engine(address)
    with engine.begin() as connection:
        for number, body in ((2, b"rubbish"), (3, encode(release(7)))):
            row = {"number": number, "effective_at": 0, "published_at": 0, "author": "", "body": body}
            connection.execute(RELEASES.insert(), row)
    engine.dispose()
    with pytest.raises(BrokenReleaseError, match=r"release 3 .* its body belongs to release 7") as error:
        store.latest(0)
    assert error.value.number == 3
    with pytest.raises(BrokenReleaseError, match=r"release 2 .* not a release"):
        store.latest(0)
    assert store.latest(0) == release(1)
    assert store.latest(1) is None
    store.publish(release(4), {}, "ann")
    assert store.latest(1) == release(4)
