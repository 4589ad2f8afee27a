"""Rates, the watched registry, and the gateway's configuration."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.adapters.settings.file import SettingsError
from kairos.adapters.settings.gateway import access_of, load
from kairos.adapters.sources.port import Access, Entry, Snapshot, SourceStoreError, key_hash
from kairos.engine.rule.model import Source
from kairos.usecases.intake.rate import Bucket
from kairos.usecases.intake.registry import Registry
from tests.access.gateway.gateway_kit import SHOP


def test_over_any_length_of_time_no_more_than_the_rate() -> None:
    """Against counting: what was let in by t is at most two seconds' worth, t times the rate, and one batch of debt."""
    rate, batch, now, taken = 10.0, 7, 0, 0
    bucket = Bucket(0)
    for now in range(0, 60_000, 130):
        if not bucket.take(batch, rate, now):
            taken += batch
        assert taken <= rate * (2 + now / 1000) + batch
    assert taken >= rate * (now / 1000) - batch


def test_when_to_come_again_is_when_it_is_let_in() -> None:
    bucket = Bucket(0)
    assert bucket.take(100, 10.0, 0) == 0
    seconds = bucket.take(1, 10.0, 0)
    assert seconds == 8
    assert bucket.take(1, 10.0, seconds * 1000) > 0  # the debt is just paid: nothing is there yet
    assert bucket.take(1, 10.0, seconds * 1000 + 100) == 0


def test_without_a_rate_debts_are_forgotten_and_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = Bucket(10_000)
    bucket.take(1_000, 1.0, 10_000)
    assert bucket.take(1, 1.0, 0) > 0
    assert bucket.take(1, None, 0) == 0
    assert bucket.take(1, 1.0, 0) == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 60), st.booleans()), max_size=40))
def test_asking_takes_nothing_and_says_what_taking_would(steps: list[tuple[int, int, bool]]) -> None:
    """Against a twin that is never asked. Eighths of a second at 8 events a second: floats are exact."""
    asked, twin, now = Bucket(0), Bucket(0), 0
    for eighths, events, ask in steps:
        now += 125 * eighths
        seconds = asked.wait(8.0, now) if ask else None
        taken = twin.take(events, 8.0, now)
        assert asked.take(events, 8.0, now) == taken
        assert seconds in (None, taken)


class Store:
    """Gives what it is told to, or raises it."""

    def __init__(self) -> None:
        self.gives: Snapshot | SourceStoreError = SourceStoreError("the store does not answer")

    def read(self) -> Snapshot:
        if isinstance(self.gives, SourceStoreError):
            raise self.gives
        return self.gives


def test_the_registry_keeps_what_it_knows(caplog: pytest.LogCaptureFixture) -> None:
    store, made = Store(), []
    registry = Registry(store, made.extend, lambda: 0)

    def look() -> None:
        asyncio.run(registry.refresh())

    look()
    look()
    assert not registry.ready
    assert caplog.messages == ["the store does not answer"]
    store.gives = Snapshot({"shop": SHOP})
    look()
    door = registry.of_key(key_hash("shop-key"))
    assert registry.ready
    assert door is not None
    assert door is registry.named("shop")
    assert made == ["events.shop"]
    look()
    assert registry.named("shop") is door
    store.gives = SourceStoreError("away")
    look()
    assert registry.named("shop") is door
    changed = Entry(Source("shop", {}), Access())
    store.gives = Snapshot({"shop": changed})
    look()
    now = registry.named("shop")
    assert now is not None
    assert (now.entry, now.bucket) == (changed, door.bucket)
    assert registry.of_key(key_hash("shop-key")) is None
    assert made == ["events.shop"]
    store.gives = Snapshot({})
    look()
    assert registry.named("shop") is None


def test_looking_never_ends(caplog: pytest.LogCaptureFixture) -> None:
    looks = 0

    class Faulty:
        def read(self) -> Snapshot:
            nonlocal looks
            looks += 1
            if looks == 1:
                raise RuntimeError("a mistake of ours")
            return Snapshot({"shop": SHOP})

    registry = Registry(Faulty(), lambda _: None, lambda: 0)

    async def three_times(seconds: float) -> None:
        if looks == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(registry.watch(three_times))
    assert "a mistake of ours" in caplog.text
    assert registry.named("shop") is not None


def test_topics_that_could_not_be_made_are_made_later(caplog: pytest.LogCaptureFixture) -> None:
    store, asked = Store(), []
    store.gives = Snapshot({"shop": SHOP})

    def make(topics: list[str]) -> None:
        asked.append(topics)
        if len(asked) < 3:
            raise OSError("no broker")

    registry = Registry(store, make, lambda: 0)
    for _ in range(5):
        asyncio.run(registry.refresh())
    assert asked == [["events.shop"]] * 3
    assert caplog.messages == ["the topics events.shop could not be made: no broker"]
    assert registry.named("shop") is not None


CONF = "kafka: {bootstrap: 'b:1'}\n"


def test_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_KEY", "secret-key")
    file = tmp_path / "conf.yaml"
    file.write_text(CONF + "state: {}\ngateway: {access: {web: {keys: [{env: WEB_KEY}], rate: 5}}, port: 9000}\n")
    conf = load(file, [f"rules.store={tmp_path}"])
    assert (conf.gateway.port, conf.sources) == (9000, str(tmp_path))
    assert access_of(conf.gateway, "conf.yaml") == {"web": Access((key_hash("secret-key"),), rate=5)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "rules"),
        ("rules: {store: 'sqlite:////r.db'}\n", "sqlite:////r.db"),
        ("rules: {store: 'sqlite:////r.db'}\nsources: {store: 'sqlite:////s.db'}\n", "sqlite:////s.db"),
        ("sources: {store: 'sqlite:////s.db'}\ngateway: {sources: 'sqlite:////g.db'}\n", "sqlite:////g.db"),
    ],
)
def test_where_sources_are(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text(CONF + text)
    assert load(file).sources.endswith(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: {}\n", "section 'kafka'"),
        (CONF + "gateway: {prot: 1}\n", "did you mean 'port'"),
        (CONF + "gateway: {max_body: 0}\n", "max_body"),
        (CONF + "gateway: {sources: 'sqlite:///x.db', access: {web: {}}}\n", "kairos source key"),
        (CONF + "gateway: {access: {web: {keys: [opensesame]}}}\n", "{env: NAME}"),
        (CONF + "gateway: {access: {web: {keys: [{env: NO_SUCH_KEY}]}}}\n", "NO_SUCH_KEY is not set"),
        (CONF + "gateway: {access: {web: {hmac: {env: NO_SUCH_KEY}}}}\n", "NO_SUCH_KEY is not set"),
        (CONF + "gateway: {access: {web: {rate: 0}}}\n", "rate must be above 0"),
        (CONF + "gateway: {access: {web: {max_bytes: 2000000}}}\n", "max_bytes"),
        (CONF + "gateway: {access: {web: {priority: 101}}}\n", "priority must be from 0 to 100"),
        (CONF + "gateway: {access: {web: {ratte: 1}}}\n", "did you mean 'rate'"),
    ],
)
def test_configuration_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        access_of(load(file).gateway, str(file))
    assert words in str(raised.value)
    assert "opensesame" not in str(raised.value)
