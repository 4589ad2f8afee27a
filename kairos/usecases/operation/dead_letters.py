"""`kairos dead-letters`: events and deliveries that could not be used, looked at and sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import msgspec

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.ledger import REOPENED, Change, Ledger
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.posts import KafkaPosts
from kairos.adapters.kafka.topics import check_kafka
from kairos.adapters.output.dead_letters import (
    BROKEN,
    MALFORMED,
    Found,
    NotReplayableError,
    delivery_of,
    of_folder,
    of_kafka,
    original,
    topic_of,
)
from kairos.adapters.post import Post
from kairos.adapters.settings import gateway
from kairos.adapters.settings.delivery import Conf
from kairos.usecases.control.deeds import begin
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import InputError, NotThereError, reason_of
from kairos.usecases.intake.again import Doors, source_of


class Wanted(msgspec.Struct, frozen=True):
    """Which letters; null: any. `since`: those whose record is not older, epoch ms."""

    places: frozenset[str] = frozenset()
    channel: str | None = None
    reason: str | None = None
    activity: str | None = None
    user: str | None = None
    since: int = 0

    def __contains__(self, found: Found) -> bool:
        return (
            (not self.places or found.place in self.places)
            and self.channel in (None, found.channel)
            and self.reason in (None, found.letter.reason)
            and self.activity in (None, found.activity)
            and self.user in (None, found.user)
            and found.letter.ts >= self.since
        )

    @property
    def anything(self) -> bool:
        return self == Wanted()

    @property
    def subject(self) -> str:
        """As the log has it, which knows nobody by their id."""
        named = "/".join(word for word in (self.channel, self.activity, self.reason) if word is not None)
        return f"dead_letters/{named or ('all' if self.anything else 'chosen')}"


class Cause(msgspec.Struct, frozen=True):
    """Letters of one reason, and of one channel (null: of events). `newest` is one of them."""

    channel: str | None
    reason: str
    n: int
    newest: Found


def causes(letters: Iterable[Found]) -> list[Cause]:
    """The most frequent first."""
    found: dict[tuple[str | None, str], Cause] = {}
    for letter in letters:
        place = letter.channel, letter.letter.reason
        seen = found.get(place)
        newest = letter if seen is None or letter.letter.ts >= seen.newest.letter.ts else seen.newest
        found[place] = Cause(*place, 1 if seen is None else seen.n + 1, newest)
    return sorted(found.values(), key=lambda cause: -cause.n)


class Replayed(msgspec.Struct, frozen=True):
    """`sent`: how many; `refused`: place of each that could not be sent again -> why."""

    sent: int
    refused: dict[str, str]


def dead_letters(conf: Conf, wanted: Wanted, limit: int | None = None) -> Iterator[Found]:
    """Those in Kafka, oldest first in each partition. Asked for one, it raises SettingsError and
    KafkaUnreachableError."""
    kafka = conf.need_kafka()
    check_kafka(kafka.bootstrap)
    letters = of_kafka(client_options(kafka), kafka.prefix)
    yield from islice((found for found in letters if found in wanted), limit)


def dead_letters_of_run(folder: Path, wanted: Wanted, limit: int | None = None) -> Iterator[Found]:
    """Those in the output folder of a run on files. Raises NotThereError and InputError."""
    if not folder.is_dir():
        raise NotThereError(f"the run {folder}: there is no such folder")
    try:
        yield from islice((found for found in of_folder(folder) if found in wanted), limit)
    except OSError as error:
        raise InputError("the run", str(folder), reason_of(error)) from None


def replay(
    conf: Conf,
    doors: Callable[[], gateway.Conf],
    wanted: Wanted,
    limit: int | None,
    clock: Callable[[], int],
    actor: Actor,
    refused: Callable[[str, str], object] = lambda _place, _why: None,
) -> Replayed:
    """Sends those in Kafka again: events to the topic they came from, failed deliveries to their worker, and what the
    gateway or a bridge refused through its source, as that is defined now. The letters themselves stay where they are.

    `doors`: what the gateway is configured with, asked at the first letter of a source. `clock`: epoch ms. `refused`
    hears at once of each that cannot be sent again. Raises NotAllowedError, RuleStoreError, SettingsError,
    DatabaseError, DatabaseAwayError, KafkaAwayError, SourceStoreError, and UnavailableError: then what was not sent yet
    is still there, and all of it may be done again.
    """
    begin(conf.rules.store, actor, "replay", "replay_dead_letters", wanted.subject, clock())
    letters = list(dead_letters(conf, wanted, limit))  # all of them first: what is sent may come to lie there again
    sent, why = 0, dict[str, str]()
    with ExitStack() as stack:
        engine = open_engine(conf.delivery.store)
        stack.callback(engine.dispose)
        create_tables(engine)
        ledger = SqlLedger(engine)
        posts = KafkaPosts(conf.need_kafka(), "", "kairos-dead-letters")
        stack.callback(posts.close)
        opened = stack.enter_context(Doors(doors, conf.place, clock))
        for found in letters:
            try:
                if (source := source_of(found)) is not None:
                    opened.send(source, found.letter)
                else:
                    posts.write([reopened(found, ledger, clock())])
                sent += 1
            except NotReplayableError as error:
                why[found.place] = str(error)
                refused(found.place, str(error))
    return Replayed(sent, why)


def reopened(found: Found, ledger: Ledger, now: int) -> Post:
    """The record to be written, with its whole topic. For a delivery its row is open from here on: whoever takes the
    record calls the provider again. Doing all of it twice is harmless.

    Raises NotReplayableError; DatabaseAwayError.
    """
    topic, value = topic_of(found.letter), original(found.letter)
    if found.channel is not None and found.letter.reason not in (MALFORMED, BROKEN):
        _reopen(found, ledger, now)
    return Post(topic, found.letter.key, value, found.letter.ts)


def _reopen(found: Found, ledger: Ledger, now: int) -> None:
    delivery = delivery_of(found.letter)
    if now > delivery.send_before:
        raise NotReplayableError("its time is over: it should have gone before `send_before`")
    row = ledger.find(delivery_key(delivery.activity, delivery.user_id, delivery.occurrence, delivery.attempt))
    if row is None:
        raise NotReplayableError("the ledger has no row of it; is this the database of the worker that failed?")
    if row.state == "retry":
        return  # opened before, or by somebody else
    if row.state != "failed":
        raise NotReplayableError(f"only what has failed can be sent again, and this is '{row.state}' in the ledger")
    opened = msgspec.structs.replace(
        row, state="retry", reason=REOPENED, settled_at=None, reserved_at=now, lease_until=now
    )
    present = ledger.apply([Change(row, opened)])[0]
    if present != opened:
        raise NotReplayableError("a worker has changed its row at this very moment; look again")
