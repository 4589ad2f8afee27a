"""`kairos backtest`: the comparison over a warehouse, cut by users: what a task of `jobs/backtest.py` does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.decoding import decoder
from kairos.adapters.files.run_folder import lines_of
from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Engine, Value
from kairos.adapters.warehouse.profiles import profiles_in
from kairos.engine.compare.report import Comparison, Tally, gathered, tally
from kairos.engine.compare.side import Side
from kairos.engine.compare.warm_up import warm_up
from kairos.engine.coupon.played import played_codes
from kairos.engine.event import Event, EventError, decode
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.reads.codes import codes_of
from kairos.engine.source.schema import SchemaChecker
from kairos.engine.warehouse.tables import CROWD_BUILDS, CROWD_MEMBERS, EVENTS, PROFILES
from kairos.errors import KairosError
from kairos.usecases.rules.compare import Compared, Coverage, decide, files_hash
from kairos.usecases.rules.people_then import PeopleThen, asked_crowds, crowds_then, told_of_warehouse, unknown_then

TASK = "task.json"
SPANS = "spans.json"
PARTS = "parts"
"""In a backtest's folder: what all tasks are told, what there is to do, and where the job writes."""
RESULTS = "results"
"""The topic of what it writes."""
NO_PROFILES = "none"
SPAN = 200_000
"""Events that a task holds at once, about: it takes so many users as have them."""


class Task(msgspec.Struct, frozen=True):
    """What all tasks of a backtest are told. Times in epoch ms.

    Events are read from `first` to `last`. Decisions count from `start` on, before `end` (None: all that follow).
    `profiles`: "today", or "none". `engine`: as of `open_engine`. `unknown`: as `Coverage` has it.
    """

    a: RuleSet
    b: RuleSet
    warehouse: str
    first: int
    last: int
    start: int
    end: int | None
    profiles: str
    engine: str = DUCKDB
    unknown: list[str] = []


class Span(msgspec.Struct, frozen=True):
    """The users from `low` on, before `high` in the order of their ids; None: all that follow."""

    low: str
    high: str | None

    def holds(self, column: str) -> str:
        """SQL: whether this user is one of them."""
        return f"{column} >= $low" if self.high is None else f"{column} >= $low AND {column} < $high"

    @property
    def bounds(self) -> dict[str, Value]:
        return {"low": self.low} if self.high is None else {"low": self.low, "high": self.high}


class Result(msgspec.Struct, frozen=True):
    """Of the users of one span. `invalid`: events that the rules of A or B do not take. `asked`: activity -> how many
    messages of A, and of B, would have been taken from its budget.
    """

    events: int
    invalid: int
    tally: Tally
    asked: dict[str, tuple[int, int]]


class NothingToPlay(KairosError):
    """The warehouse has no events of that time."""


def prepare(
    a: RuleSet, b: RuleSet, warehouse: Path, start: int | None, end: int | None, engine: str = DUCKDB
) -> tuple[Task, list[Span]]:
    """None: from the first event, to the last one. Raises WarehouseError and NothingToPlay.

    Users are played apart, but where activities share a budget of money, and but for schedules: their pace and shared
    addresses concern all users of a run. That is exact as long as no budget is used up, which `used_up` tells
    afterwards.
    """
    opened = open_engine(warehouse, engine)
    try:
        oldest, newest = opened.query("SELECT min(time_ms), max(time_ms) FROM events").rows[0]
        if oldest is None:
            raise NothingToPlay(f"the warehouse {warehouse} has no events")
        begun = oldest if start is None else start
        first, last = max(oldest, begun - warm_up(a, b)), newest if end is None else min(newest, end - 1)
        profiles = "today" if opened.query("SELECT count(*) FROM profiles").rows[0][0] else NO_PROFILES
        asked = asked_crowds(a) | asked_crowds(b)
        unknown = sorted(asked) if profiles == NO_PROFILES else unknown_then(opened, asked)
        task = Task(a, b, str(warehouse.absolute()), first, last, begun, end, profiles, engine, unknown)
        spans = _spans(opened, task)
    finally:
        opened.close()
    if not spans:
        raise NothingToPlay(f"the warehouse {warehouse} has no events in that time")
    return task, TOGETHER if _share_money(a) or _share_money(b) else spans


def _share_money(rules: RuleSet) -> bool:
    return any(activity.limits.shared is not None for activity in rules.activities.values())


def write(folder: Path, task: Task, spans: list[Span]) -> None:
    """What a job finds in its folder. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TASK).write_bytes(msgspec.json.encode(task))
    (folder / SPANS).write_bytes(msgspec.json.encode(spans))


def results_in(folder: Path) -> list[Result]:
    """What a job has left in its folder. Raises OSError, and UnreadableError for a line that is no result."""
    decode = decoder(Result)
    return [decode(line) for _, _, line in lines_of(folder / PARTS / f"topic={RESULTS}")]


def play_span(task: Task, span: Span) -> Result:
    """Both rule sets over the events of these users. Raises WarehouseError."""
    opened = open_engine(Path(task.warehouse), task.engine)
    try:
        bounds: dict[str, Value] = {"first": task.first, "last": task.last, **span.bounds}
        events = [_event(row) for row in opened.query(_EVENTS.format(users=span.holds("user_id")), bounds).rows]
        people = _people(opened, task, span)
    finally:
        opened.close()
    a, refused_a = _side(task.a, events, people)
    b, refused_b = _side(task.b, events, people)
    asked_a, asked_b = _asked(a, task.a), _asked(b, task.b)
    asked = {name: (asked_a[name], asked_b[name]) for name in sorted(_limited(task.a).keys() | _limited(task.b).keys())}
    return Result(len(events), len(refused_a | refused_b), tally(a, b, task.start, task.end), asked)


TOGETHER = [Span("", None)]
"""All users at once: who gets the last message of a budget is decided among all of them."""


def used_up(task: Task, results: Iterable[Result]) -> list[str]:
    """The activities, and the pools of codes, of A or B whose budget would not have sufficed: then users must be played
    together."""
    asked: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for result in results:
        for name, of_sides in result.asked.items():
            for place, number in enumerate(of_sides):
                asked[name][place] += number
    limits = [_limited(task.a), _limited(task.b)]
    return [
        name
        for name, of_sides in sorted(asked.items())
        if any(number > limit.get(name, number) for number, limit in zip(of_sides, limits, strict=True))
    ]


def _limited(rules: RuleSet) -> dict[str, int]:
    """Activity -> its budget; pool of codes -> how many there are."""
    budgets = {name: activity.limits.budget for name, activity in rules.activities.items()}
    codes = {_pool(name): len(played_codes(name, coupon)) for name, coupon in rules.coupons.items()}
    return {name: budget for name, budget in budgets.items() if budget is not None} | codes


def _asked(side: Side, rules: RuleSet) -> Counter[str]:
    """Activity -> how many of its messages would have been taken from a budget: fallbacks are not. And pool -> how many
    codes."""
    records = [verdict.record for verdict in side.verdicts if verdict.attempt == 1]
    asked = Counter(one.activity for one in records if one.outcome == "send" or one.reason == "budget")
    for name, number in list(asked.items()):
        pools = codes_of(rules.activities[name]).values() if name in rules.activities else ()
        asked.update({_pool(pool): number for pool in pools})
    return asked


def _pool(name: str) -> str:
    return f"coupons {name}"


def played(
    task: Task,
    spans: list[Span],
    play: Callable[[list[Span]], list[Result]],
    again: Callable[[list[str]], object] = lambda _short: None,
) -> list[Result]:
    """By `play`; and once more, all users at once, where budgets would not have sufficed: `again` hears whose."""
    found = play(spans)
    short = used_up(task, found) if len(spans) > 1 else []
    if not short:
        return found
    again(short)
    return play(TOGETHER)


def gather(task: Task, results: Iterable[Result]) -> Compared:
    """Puts the results of all spans together. Raises OSError."""
    found = list(results)
    length = warm_up(task.a, task.b)
    coverage = Coverage(
        events=sum(one.events for one in found) - sum(one.invalid for one in found),
        invalid=sum(one.invalid for one in found),
        first=task.first,
        last=task.last,
        start=task.start,
        end=task.end,
        warm_up=length,
        warmed_up=task.start - task.first >= length,
        profiles=task.profiles,
        data=_data_hash(task),
        unknown=task.unknown,
        why=told_of_warehouse(task.unknown, task.profiles != NO_PROFILES),
    )
    comparison: Comparison = gathered(one.tally for one in found)
    return Compared(coverage, comparison, {})


def _spans(opened: Engine, task: Task) -> list[Span]:
    sql = f"""
        WITH users AS (
            SELECT user_id, count(*) AS n FROM events
            WHERE time_ms >= $first AND time_ms <= $last GROUP BY user_id
        ), places AS (SELECT user_id, sum(n) OVER (ORDER BY user_id) - n AS before FROM users)
        SELECT min(user_id) FROM places GROUP BY CAST(floor(before / {SPAN}) AS BIGINT) ORDER BY 1"""
    lows: list[str] = [low for (low,) in opened.query(sql, {"first": task.first, "last": task.last}).rows]
    if not lows or any(activity.schedule for rules in (task.a, task.b) for activity in rules.activities.values()):
        return TOGETHER if lows else []
    return [Span(low, high) for low, high in zip(["", *lows[1:]], [*lows[1:], None], strict=True)]


_EVENTS = """
    SELECT user_id, source, type, id, time_ms, props FROM events
    WHERE time_ms >= $first AND time_ms <= $last AND {users}
    ORDER BY time_ms, source, id, user_id, type"""


def _event(row: tuple[Any, ...]) -> Event | None:
    """None: what the warehouse keeps is no event for this engine."""
    user, source, kind, id_, time, props = row
    envelope = {"id": id_, "type": kind, "user_id": user, "time": time} | ({"source": source} if source else {})
    try:
        return decode(msgspec.json.encode({**envelope, "props": msgspec.Raw((props or "{}").encode())}))
    except EventError:
        return None


def _people(opened: Engine, task: Task, span: Span) -> PeopleThen | None:
    """None: the warehouse has no profiles, and every channel counts as reachable."""
    if task.profiles == NO_PROFILES:
        return None
    mine = span.holds("m.user_id")
    answer = opened.query(f"SELECT m.* FROM profiles m WHERE {mine}", span.bounds)
    today = profiles_in(answer, {**(task.a.profile or {}), **(task.b.profile or {})})
    return PeopleThen(today, *crowds_then(opened, mine, span.bounds))


def _side(rules: RuleSet, events: Sequence[Event | None], people: PeopleThen | None) -> tuple[Side, set[int]]:
    """The run, and the places of what is no event for these rules."""
    check = SchemaChecker(rules.sources).check if rules.sources is not None else None
    taken: list[Event] = []
    refused: set[int] = set()
    for place, event in enumerate(events):
        if event is None or not _fits(event, check):
            refused.add(place)
        else:
            taken.append(event)
    return Side(rules, decide(rules, taken, people)), refused


def _fits(event: Event, check: Callable[[Event], None] | None) -> bool:
    try:
        if check is not None:
            check(event)
    except EventError:
        return False
    return True


def _data_hash(task: Task) -> str:
    """Of all that the tasks read."""
    folder = Folder(Path(task.warehouse))
    return files_hash(path for table in (EVENTS, PROFILES, CROWD_MEMBERS, CROWD_BUILDS) for path in folder.files(table))
