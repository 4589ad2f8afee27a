"""The moments that the example rules find in the clickstream are those that a plain search of the file finds.

Each search below says in a few lines of Python what its rule means, without the engine: lists, loops and differences of
times. The gates (limits, audience, quiet hours) are left out on both sides by looking only at the first record of each
occurrence, which stands at the time of the match whatever its outcome.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.apps.native.settings import data_folder
from kairos.engine.decision import Record
from kairos.engine.event import Event, decode
from kairos.engine.play.rehearse import rehearse
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from kairos.usecases.operation.dataset.clickstream import prepare
from tests.unit.project.snippets import ROOT

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
Moment = tuple[str, int]
"""A user, and when the match is decided (epoch ms)."""

Stream = list[Event]
"""What one user did (in one session, where the rule says so), in order."""


@pytest.fixture(scope="module")
def folder() -> Path:
    return prepare(data_folder() / "data").events.parent


@pytest.fixture(scope="module")
def profiles(folder: Path) -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads((folder / "profiles.json").read_text())
    return table


@pytest.fixture(scope="module")
def events(folder: Path) -> list[Event]:
    return [decode(line.rstrip()) for line in (folder / "ecom.jsonl").open("rb")]


@pytest.fixture(scope="module")
def records(events: list[Event], profiles: dict[str, dict[str, str]]) -> list[Record]:
    loaded = load(read_folder(ROOT / "rules"))
    assert loaded.rules is not None
    return list(Simulation(loaded.rules, profiles).run(events))


def found_by_engine(records: Iterable[Record], activity: str) -> list[Moment]:
    first: dict[tuple[str, str], Moment] = {}
    for record in records:
        if record.activity == activity and record.outcome != "goal":
            first.setdefault((record.user_id, record.occurrence), (record.user_id, record.at))
    return sorted(first.values())


def by_user(events: Iterable[Event]) -> dict[str, Stream]:
    streams: defaultdict[str, Stream] = defaultdict(list)
    for event in events:
        streams[event.user_id].append(event)
    return streams


def of_types(stream: Stream, *types: str) -> Stream:
    return [event for event in stream if event.type in types]


def by_session(stream: Stream) -> Iterable[Stream]:
    sessions: defaultdict[str, Stream] = defaultdict(list)
    for event in stream:
        sessions[event.props["session_id"]].append(event)
    return sessions.values()


def followed_by_none(stream: Stream, starts: Iterable[Event], never: tuple[str, ...], within: int) -> Iterable[int]:
    """Deadlines of the starts after which none of `never` came in time."""
    for start in starts:
        later = stream[stream.index(start) + 1 :]
        if not any(event.type in never and event.time < start.time + within for event in later):
            yield start.time + within


def times_within(stream: Stream, times: int, within: int) -> Iterable[int]:
    """Every `times`-th of the events so close together; each counts once."""
    recent: list[int] = []
    for event in stream:
        recent = [*(time for time in recent if event.time - time < within), event.time]
        if len(recent) == times:
            yield event.time
            recent = []


def payment_unfinished(stream: Stream) -> Iterable[int]:
    return followed_by_none(stream, of_types(stream, "payment_details"), ("purchase",), 10 * MINUTE)


def cart_left(stream: Stream) -> Iterable[int]:
    never = ("add_to_cart", "shipping_details", "payment_details", "purchase")
    return followed_by_none(stream, of_types(stream, "add_to_cart"), never, HOUR)


def welcome_first_purchase(stream: Stream) -> Iterable[int]:
    return [event.time for event in of_types(stream, "purchase")[:1]]


def welcome_second_visit(stream: Stream) -> Iterable[int]:
    return followed_by_none(stream, of_types(stream, "purchase")[:1], ("purchase",), 3 * DAY)


def third_purchase_30d(stream: Stream) -> Iterable[int]:
    return times_within(of_types(stream, "purchase"), 3, 30 * DAY)


def payment_error_twice(stream: Stream) -> Iterable[int]:
    return [at for session in by_session(of_types(stream, "payment_error")) for at in times_within(session, 2, HOUR)]


def compare_help(stream: Stream) -> Iterable[int]:
    return [at for session in by_session(of_types(stream, "compare")) for at in times_within(session, 2, 30 * MINUTE)]


def error_then_support(stream: Stream) -> Iterable[int]:
    failures: list[int] = []
    for event in of_types(stream, "error_page", "checkout_bug", "support_chat"):
        if event.type != "support_chat":
            failures.append(event.time)
        elif any(event.time - failure < 30 * MINUTE for failure in failures):
            yield event.time
            failures = []


def browsing_without_cart(stream: Stream) -> Iterable[int]:
    for session in by_session(of_types(stream, "product_view", "add_to_cart")):
        views = of_types(session, "product_view")
        free = 0  # the first view that no match has used
        for number, first in enumerate(views[:-4]):
            fifth = views[number + 4]
            in_time = fifth.time < first.time + 30 * MINUTE
            if number >= free and in_time and list(followed_by_none(session, [first], ("add_to_cart",), 30 * MINUTE)):
                yield first.time + 30 * MINUTE
                free = number + 5


SEARCHES: list[Callable[[Stream], Iterable[int]]] = [
    payment_unfinished,
    cart_left,
    welcome_first_purchase,
    welcome_second_visit,
    third_purchase_30d,
    payment_error_twice,
    compare_help,
    error_then_support,
    browsing_without_cart,
]


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.__name__)
def test_the_engine_finds_what_a_plain_search_finds(
    search: Callable[[Stream], Iterable[int]], events: list[Event], records: list[Record]
) -> None:
    expected = sorted((user, at) for user, stream in by_user(events).items() for at in search(stream))
    assert expected, "the rule shows something on this data"
    assert found_by_engine(records, search.__name__) == expected


def test_back_after_14d(events: list[Event], records: list[Record], profiles: dict[str, dict[str, str]]) -> None:
    """Days are those of the user's own clock, which changes in March."""
    pages = ("home", "catalog", "search", "filter_results", "product_view", "promo_page", "account_page", "cart")
    expected = []
    for user, stream in by_user(events).items():
        zone = ZoneInfo(profiles[user]["timezone"])
        local = [datetime.fromtimestamp(event.time / 1000, zone).replace(tzinfo=None) for event in stream]
        for number in range(1, len(stream)):
            if stream[number].type in pages and (local[number] - local[number - 1]).days >= 14:
                expected.append((user, stream[number].time))
    assert found_by_engine(records, "back_after_14d") == sorted(expected)


def test_every_activity_is_searched_for_and_has_examples() -> None:
    files = sorted((ROOT / "rules" / "activities").rglob("*.yaml"))
    names = {file.stem for file in files if not file.name.endswith(".test.yaml")}
    assert names == {search.__name__ for search in SEARCHES} | {"back_after_14d"}
    assert {file.name.removesuffix(".test.yaml") for file in files if file.name.endswith(".test.yaml")} == names


def test_the_clickstream_shows_every_outcome_and_most_reasons(records: list[Record]) -> None:
    """What the example run is there to show. `regret` needs late events, which a file in order does not have."""
    assert {record.outcome for record in records} == {"send", "match", "hold", "suppress", "control", "goal"}
    reasons = {record.reason for record in records}
    assert reasons >= {
        "audience",
        "blacklist",
        "budget",
        "cap:marketing",
        "once",
        "paused",
        "quiet_hours",
        "unreachable",
    }


@pytest.mark.parametrize("folder", sorted((ROOT / "examples").iterdir()), ids=lambda folder: folder.name)
def test_further_examples_are_valid_and_do_what_they_say(folder: Path) -> None:
    loaded = load(read_folder(folder))
    assert {finding.code for finding in loaded.findings} <= {"service-class"}  # said of every service message
    assert loaded.rules is not None
    assert loaded.tests
    for examples in loaded.tests.values():
        assert rehearse(loaded.rules, examples) == []
