"""`kairos report`: what a run left in its output folder (decisions, example messages, dead letters, files), or what a
warehouse has of decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.decoding import Unreadable
from kairos.adapters.files.run_folder import decoded, lines_of, topics_in
from kairos.adapters.warehouse.opening import open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.decision import Record
from kairos.engine.journey.funnel import Funnels, Stage
from kairos.engine.measure.ask import Ask, Row
from kairos.engine.measure.clock import Clock
from kairos.engine.measure.entries import Subject
from kairos.engine.measure.epochs import Arms
from kairos.engine.measure.way import ENTERED, INSIDE, way
from kairos.engine.rule.journey import is_part, journey_of
from kairos.engine.topics import DEAD_LETTERS, DECISIONS


class Message(msgspec.Struct):
    """What a report needs of a delivery. A recall, which is in the same topic, has no `values`."""

    activity: str
    user_id: str
    channel: str
    at: int
    template: str | None = None
    address: str | None = None
    values: dict[str, Any] | None = None
    zone: str = ""


class Letter(msgspec.Struct):
    """What a report needs of a dead letter."""

    reason: str
    message: str = ""
    origin: str = ""


class Said(msgspec.Struct, frozen=True, order=True):
    """One kind of message, and how many of it were decided."""

    activity: str
    variant: str
    attempt: int
    channel: str
    template: str
    number: int = 0


class Letters(msgspec.Struct, frozen=True):
    """Dead letters of one reason: how many, and the first of them."""

    number: int
    first: Letter


class TopicFile(msgspec.Struct, frozen=True):
    """Where a topic's records are, a file or a folder, and how many."""

    path: str
    records: int


Tally = dict[str, dict[str, int]]
"""One activity's decisions: outcome -> what of (channel of a send, else reason, else "") -> how many."""


class Report(msgspec.Struct, frozen=True):
    """`tallies`: by activity, `funnels`: by journey. `said`: kinds of messages, in order. `examples`: the first message
    of each activity and channel. `letters`: by reason. `files`: by topic; none: it is no folder that was read."""

    tallies: dict[str, Tally]
    funnels: dict[str, list[Stage]]
    said: list[Said]
    examples: list[Message]
    letters: dict[str, Letters]
    files: dict[str, TopicFile]
    unreadable: Unreadable


_EVER = 1 << 53
"""ms: later than anything."""


def report(folder: Path) -> Report:
    """Raises RunFolderError and OSError. A record that repeats, after a restore, counts once; what is on trial
    does not."""
    reader = _Reader()
    files = {topic: TopicFile(str(path), sum(1 for _ in lines_of(path))) for topic, path in topics_in(folder).items()}
    for topic, file in files.items():
        reader.read(topic, Path(file.path))
    said = sorted(msgspec.structs.replace(kind, number=number) for kind, number in reader.said.items())
    return Report(
        reader.tallies,
        reader.funnels.stages(),
        said,
        list(reader.examples.values()),
        reader.letters,
        files,
        reader.unreadable,
    )


def report_of(warehouse: Path, as_of: int | None = None) -> Report:
    """What a warehouse has of decisions, without files: of a job that goes on. `as_of`: up to this time, epoch ms.
    Raises WarehouseError."""
    tallies: dict[str, Tally] = {}
    said = Counter[Said]()
    with closing(open_engine(warehouse)) as engine:
        for activity, outcome, what, variant, attempt, channel, template, number in engine.query(_counted(as_of)).rows:
            add(tallies.setdefault(activity, {}), {outcome: {what: number}})
            if outcome == "send":
                said[Said(activity, variant, attempt, channel, template)] += number
        funnels = _funnels(engine, tallies, as_of)
    kinds = sorted(msgspec.structs.replace(kind, number=number) for kind, number in said.items())
    return Report(tallies, funnels, kinds, [], {}, {}, Unreadable())


def _funnels(engine: Engine, activities: Iterable[str], as_of: int | None) -> dict[str, list[Stage]]:
    """Of each journey, as a run's folder has them. `as_of` None: of all that there is."""
    until = _EVER if as_of is None else as_of
    ask = Ask(lambda sql: engine.query(sql).rows, Clock.of("UTC", (), 0, 0), until)
    journeys = sorted({journey_of(name) for name in activities if is_part(name)})
    return {name: list(_stages_of(way(ask, Subject(name, Arms(None, (), name), journey=True)))) for name in journeys}


def _stages_of(rows: Sequence[Row]) -> Iterator[Stage]:
    """As `Funnels` tells a run: shares are of those who were let in."""
    steps = {row["step"]: row["occurrences"] for row in rows}
    inside = steps.pop(INSIDE)
    control = steps.pop(ENTERED) - inside
    yield Stage(ENTERED, inside, 1.0 if inside else 0.0)
    for step, number in steps.items():
        if number and not step.startswith("at "):
            yield Stage(step, number, number / inside)
    if control:
        yield Stage("control group", control, control / inside if inside else 0.0)


def _counted(as_of: int | None) -> str:
    until = "" if as_of is None else f"AND at_ms <= {as_of}"
    return f"""SELECT activity, outcome, coalesce(CASE WHEN outcome = 'send' THEN channel ELSE reason END, ''),
coalesce(variant, ''), coalesce(attempt, 1), coalesce(channel, ''), coalesce(template, ''), count(*)
FROM decisions WHERE NOT coalesce(shadow, false) {until} GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7"""


class _Reader:
    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self.funnels = Funnels()
        self.said = Counter[Said]()
        self.examples: dict[tuple[str, str], Message] = {}
        self.letters: dict[str, Letters] = {}
        self.unreadable = Unreadable()
        self._seen: set[Any] = set()

    def read(self, topic: str, path: Path) -> None:
        if topic == DECISIONS:
            for _, record in decoded(topic, path, Record, self.unreadable):
                self._decision(record)
        elif topic == DEAD_LETTERS:
            for _, letter in decoded(topic, path, Letter, self.unreadable):
                known = self.letters.get(letter.reason, Letters(0, letter))
                self.letters[letter.reason] = Letters(known.number + 1, known.first)
        else:
            for _, message in decoded(topic, path, Message, self.unreadable):
                if message.values is not None:
                    self.examples.setdefault((message.activity, message.channel), message)

    def _decision(self, record: Record) -> None:
        if record.shadow or record.key in self._seen:
            return
        self._seen.add(record.key)
        self.funnels.take(record)
        add(self.tallies.setdefault(record.activity, {}), {record.outcome: {_what(record): 1}})
        if record.outcome == "send":
            attempt = record.attempt or 1
            self.said[
                Said(record.activity, record.variant or "", attempt, record.channel or "", record.template or "")
            ] += 1


def add(tally: Tally, more: Tally) -> None:
    """Counts `more` into the tally."""
    for outcome, counts in more.items():
        known = tally.setdefault(outcome, {})
        for what, number in counts.items():
            known[what] = known.get(what, 0) + number


def _what(record: Record) -> str:
    return (record.channel if record.outcome == "send" else record.reason) or ""
