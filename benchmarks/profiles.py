"""What profiles from Redis cost, where every user is new:
`python -m benchmarks.profiles [--users N] [--quick | --write]`.

One event of each user, which sends a message; whether it may be sent is asked of the profile. The engine in one process
with its state in bytes between two calls, events told to the source of profiles as they come, the watermark
behind them by the lateness of the job. Between two events the interpreter is left for a moment, as it is where Flink's
thread is in the JVM.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from benchmarks.kit.broker import stack
from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import at_least
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.keys import PREFIX
from kairos.adapters.profiles.redis import connect
from kairos.adapters.rules.files import read_folder
from kairos.engine.engine import Engine
from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.load import load
from kairos.engine.rule.reads.needs import needs_of
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState

START = 1_763_778_000_000
STEP_MS = 6
RULES = {
    "activities/t/bought.yaml": """\
activity: bought
state: live
trigger: {event: order_created}
data: {order_id: order_id}
send: [{channel: sms, template: note}]
""",
    "templates/note.sms.liquid": "{{ order_id }}\n",
    "policy.yaml": "timezone: UTC\nlists: {black: redis, white: redis}\n",
}
GOAL, ROUNDS = 0.7, 3


class Run(NamedTuple):
    """`clock`, `processor`: microseconds an event. `waited`: decisions that had to wait for their profile, a share."""

    clock: float
    processor: float
    waited: float


class Task:
    """As the job's operator: a state in bytes for each user, and their timers."""

    def __init__(self, profiles: RedisProfiles | None) -> None:
        with tempfile.TemporaryDirectory() as name:
            for path, text in RULES.items():
                (place := Path(name, path)).parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
            loaded = load(read_folder(Path(name)))
        assert loaded.rules is not None, loaded.findings
        self._profiles, self._settings = profiles, Settings()
        self._engine = Engine(self._settings, (lambda user, _now: profiles.get(user)) if profiles is not None else None)
        program = compile_release(Release(1, loaded.rules), max_runs=self._settings.max_runs)
        self._engine.adopt(program)
        if profiles is not None:
            profiles.need(needs_of(program))
        self._codec, self._states, self._timers = StateCodec(), dict[str, bytes](), deque[tuple[int, str]]()
        self.effects = 0

    def take(self, number: int) -> None:
        user, now = f"u{number}", START + number * STEP_MS
        event = Event(f"e{number}", "order_created", now, "shop", {"order_id": f"o{number}", "amount": 3}, user)
        if self._profiles is not None:
            self._profiles.expect(user)
        state, watermark = UserState(), now - self._settings.lateness
        self._engine.on_event(user, state, event, watermark)
        timer = self._engine.next_timer(user, state)
        assert timer is not None
        self._timers.append((timer, user))
        self._states[user] = self._codec.encode(state)
        self.advance(watermark)

    def advance(self, watermark: int) -> None:
        while self._timers and self._timers[0][0] <= watermark:
            timer, user = self._timers.popleft()
            state = self._codec.decode(self._states[user])
            self.effects += len(self._engine.on_time(user, state, min(timer, watermark)))
            self._states[user] = self._codec.encode(state)


def play(users: int, url: str | None) -> Run:
    waits: list[str] = []
    count = lambda name: waits.append(name) if name == "wait" else None  # noqa: E731
    profiles = RedisProfiles(connect(url), 60.0, 100_000, count, degrade=False) if url is not None else None
    task = Task(profiles)
    began, worked = time.perf_counter(), time.process_time()
    for number in range(users):
        task.take(number)
        time.sleep(0)
    task.advance(END_OF_TIME)
    clock, processor = time.perf_counter() - began, time.process_time() - worked
    if profiles is not None:
        profiles.close()
    assert task.effects == users
    return Run(clock / users * 1e6, processor / users * 1e6, len(waits) / users)


def fill(url: str, users: int) -> None:
    client, fields = connect(url), {"phone": "13800000000", "level": "3", "city": "sz", "timezone": "Asia/Shanghai"}
    for start in range(0, users, 1_000):
        pipeline = client.pipeline(transaction=False)
        for number in range(start, min(users, start + 1_000)):
            pipeline.hset(f"{PREFIX}u{number}", mapping=fields)
        pipeline.execute()
    client.close()


def main() -> None:
    given = arguments(__doc__, users=(40_000, 2_000))
    with tempfile.TemporaryDirectory() as name, stack(Path(name), "redis") as servers:
        url = servers.settings.redis_url
        fill(url, given.users)
        runs = [(play(given.users, None), play(given.users, url)) for _ in range(ROUNDS)]
    without, with_profiles = map(min, zip(*runs, strict=True))
    rows = [
        (name, f"{run.clock:.0f}", f"{run.processor:.0f}", f"{run.waited:.1%}")
        for name, run in (("without profiles", without), ("every user new", with_profiles))
    ]
    share, worked = without.clock / with_profiles.clock, without.processor / with_profiles.processor
    table = grid(("profiles", "clock, µs an event", "processor, µs", "decisions that waited"), rows)
    text = "\n".join(
        [
            f"{given.users:,} users; {machine('Redis')}",
            "",
            *table,
            "",
            f"{share:.2f} of the events/s; of one core {worked:.2f}.",
        ]
    )
    goal = "profiles from Redis, every user new, against none, events/s"
    report("profiles", given, text, lambda: [at_least(goal, 1 / with_profiles.clock, 1 / without.clock, GOAL)])


if __name__ == "__main__":
    main()
