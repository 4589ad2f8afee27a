"""What users say of topics, in Redis: the newest word, and no import that takes a no back."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from kairos.adapters.profiles.consents import UnreadableConsentsError, say
from kairos.adapters.profiles.everyone import EveryoneInRedis
from kairos.adapters.profiles.keys import FILLED, PREFIX, REFUSALS
from kairos.adapters.profiles.lists import ListsAwayError, RedisLists
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.table import Closed
from kairos.adapters.profiles.writer import write_profiles
from kairos.apps.inputs.author import user_name
from kairos.apps.stack import Stack
from kairos.engine.profile.consent import UNREADABLE, has_opted_out
from kairos.engine.profile.topics import ConsentChange, Word, word_of

pytestmark = pytest.mark.stack


@pytest.fixture
def client(stack: Stack) -> Iterator[redis.Redis]:
    with connect(stack.settings.redis_url) as client:
        yield client


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def kept(client: redis.Redis, user: str) -> dict[str, Any]:
    found: Any = client.hget(PREFIX + user, "consents")
    return {} if found is None else {"consents": msgspec.json.decode(found)}


def tell(client: redis.Redis, user: str, on: bool, at: int, by: str = "event:shop") -> bool:
    return say(client, ConsentChange(user, "news", Word(on, at), by))


def test_the_newest_word_stays_and_of_one_time_the_no(client: redis.Redis, user: str) -> None:
    assert tell(client, user, True, 1_793_620_800_000)
    assert not tell(client, user, False, 1_793_620_799_999)
    assert tell(client, user, False, 1_793_620_800_000)
    assert not tell(client, user, True, 1_793_620_800_000)
    assert kept(client, user) == {"consents": {"news": {"on": False, "at": 1_793_620_800_000, "by": "event:shop"}}}
    assert tell(client, user, True, 1_793_620_800_001)
    assert word_of(kept(client, user), "news") == Word(True, 1_793_620_800_001)


def test_who_has_said_no_since_is_known_without_looking_at_everybody(client: redis.Redis, stack: Stack) -> None:
    since = time.time_ns() // 1_000_000  # of what other tests say nothing counts
    one, other, people = uuid.uuid4().hex, uuid.uuid4().hex, EveryoneInRedis(stack.settings.redis_url)
    tell(client, one, False, since - 1)
    assert not people.refused_since(since)
    tell(client, one, True, since)
    tell(client, other, False, since + 1)
    say(client, ConsentChange(other, "sales", Word(False, since + 2), "link"))
    assert [people.refused_since(since + after) for after in (0, 1, 2, 3)] == [{other}, {other}, {other}, set()]
    assert [people.count_refused_since(since + after) for after in (0, 1, 2, 3)] == [1, 1, 1, 0]
    tell(client, other, True, since + 3)
    assert people.refused_since(since + 2) == {other}, "to the other topic"
    say(client, ConsentChange(other, "sales", Word(True, since + 3), "link"))
    assert not people.refused_since(since)
    assert client.zscore(REFUSALS, other) is None


def test_whoever_clicks_leaves_whatever_clock_wrote_the_word_before(client: redis.Redis, user: str) -> None:
    tell(client, user, True, 2_000_000_000_000)
    assert tell(client, user, False, 1_800_000_000_000, by="link")
    assert word_of(kept(client, user), "news") == Word(False, 2_000_000_000_000)


def test_other_topics_and_fields_stay(client: redis.Redis, user: str) -> None:
    write_profiles(client, {user: {"phone": "1", "consents": {"sale": {"on": True, "by": "import"}}}})
    tell(client, user, False, 1)
    assert kept(client, user)["consents"].keys() == {"news", "sale"}
    assert client.hget(PREFIX + user, "phone") == b"1"


@pytest.mark.parametrize("there", ["not json", '["news"]', "7"])
def test_to_what_nobody_can_read_nothing_is_added(client: redis.Redis, user: str, there: str) -> None:
    client.hset(PREFIX + user, "consents", there)
    assert not tell(client, user, False, 1)
    with pytest.raises(UnreadableConsentsError):
        tell(client, user, True, 1)
    assert client.hget(PREFIX + user, "consents") == there.encode()
    assert RedisLists(client).refuses(user, "news")


@pytest.mark.parametrize(
    ("before", "imported", "after"),
    [
        ((False, 5), {"on": True, "at": 9, "by": "import"}, (False, 5)),
        ((False, 5), None, (False, 5)),
        ((True, 5), None, (True, 5)),
        ((True, 5), {"on": False, "at": 9, "by": "import"}, (False, 9)),
        ((True, 5), {"on": False, "at": 3, "by": "import"}, (True, 5)),
        ((True, 5), {"on": True, "by": "import"}, (True, 5)),
        (None, {"on": True, "by": "import"}, (True, 0)),
    ],
)
def test_an_import_never_takes_a_no_back(
    client: redis.Redis, user: str, before: tuple[bool, int] | None, imported: Any, after: tuple[bool, int]
) -> None:
    if before is not None:
        tell(client, user, *before)
    write_profiles(client, {user: {"level": 3, **({} if imported is None else {"consents": {"news": imported}})}})
    assert word_of(kept(client, user), "news") == Word(*after)


def test_an_import_says_no_without_a_time_and_what_is_said_later_counts(client: redis.Redis, user: str) -> None:
    tell(client, user, True, 5)
    write_profiles(client, {user: {"consents": {"news": {"on": False, "by": "import"}}}})
    assert RedisLists(client).refuses(user, "news")
    assert tell(client, user, True, 6)
    assert not RedisLists(client).refuses(user, "news")


def test_what_is_unreadable_stays_closed_after_an_import(client: redis.Redis, user: str) -> None:
    client.hset(PREFIX + user, "consents", "broken")
    write_profiles(client, {user: {"consents": {"news": {"on": True, "by": "import"}}}})
    assert client.hget(PREFIX + user, "consents") == b"broken"


def test_a_row_that_is_left_out_closes(client: redis.Redis, user: str) -> None:
    tell(client, user, True, 5)
    write_profiles(client, [(user, Closed({"consents": ["news"]}))])
    assert RedisLists(client).refuses(user, "news")
    write_profiles(client, [(user, Closed({"consents": [UNREADABLE]}))])
    assert client.hget(PREFIX + user, "consents") == UNREADABLE.encode()
    assert has_opted_out({"consents": UNREADABLE}, "sms")


def test_a_store_that_was_emptied_is_away_and_a_key_that_is_no_profile_refuses(client: redis.Redis, user: str) -> None:
    lists = RedisLists(client)
    client.set(FILLED, 1)
    assert not lists.refuses(user, "news")
    client.delete(FILLED)
    try:
        with pytest.raises(ListsAwayError):
            lists.refuses(user, "news")
    finally:
        client.set(FILLED, 1)
    client.set(PREFIX + user, "text")
    assert lists.refuses(user, "news")
    client.delete(PREFIX + user)


def test_the_lists_say_it_too(client: redis.Redis, user: str) -> None:
    RedisLists(client).say(ConsentChange(user, "news", Word(False, 7), "link"))
    assert word_of(kept(client, user), "news") == Word(False, 7)


def kairos(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "kairos", *words], capture_output=True, text=True, timeout=120)


def test_said_by_a_person_it_stands_in_the_profile_with_a_name(
    client: redis.Redis, stack: Stack, user: str, tmp_path: Path
) -> None:
    rules, store = tmp_path / "rules", f"sqlite:///{tmp_path / 'rules.db'}"
    (rules / "activities" / "a").mkdir(parents=True)
    (rules / "topics.yaml").write_text("news: {title: News, default: opt_in}\n")
    (rules / "activities" / "a" / "a.yaml").write_text("activity: a\ntrigger: {event: ask}\n")
    assert kairos("publish", str(rules), "--store", store).returncode == 0
    conf = tmp_path / "conf.yaml"
    conf.write_text(
        f"kafka: {{bootstrap: {stack.settings.kafka}}}\nprofiles: {{redis: '{stack.settings.redis_url}'}}\n"
        f"delivery: {{store: '{store}'}}\nrules: {{store: '{store}'}}\n"
    )
    for word in ("on", "off"):
        done = kairos("consent", "set", user, "news", word, "--conf", str(conf))
        assert (done.stdout, done.stderr) == (f"{user}: news is {word}\n", "")
    said = kept(client, user)["consents"]["news"]
    assert (said["on"], said["by"]) == (False, user_name())
    refused = kairos("consent", "set", user, "nwes", "off", "--conf", str(conf))
    assert refused.returncode != 0
    assert "did you mean 'news'?" in refused.stderr
