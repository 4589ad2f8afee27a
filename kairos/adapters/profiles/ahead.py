"""Profiles from Redis, fetched ahead of need while an event waits for its watermark, and kept for a while."""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import redis

from kairos.adapters.crowds.redis import LIVE, MEMBERS
from kairos.adapters.crowds.text import crowds_in, live_numbers, with_crowds
from kairos.adapters.profiles.consents import UnreadableConsentsError, say
from kairos.adapters.profiles.keys import CROWD, FILLED, LIST, PREFIX
from kairos.adapters.profiles.redis import (
    BATCH,
    TIMEOUT_SECONDS,
    EmptiedError,
    Profile,
    ask,
    member_of,
    read_profile,
    sound,
)
from kairos.backoff import Backoff
from kairos.engine.profile.port import Degraded
from kairos.engine.profile.topics import ConsentChange
from kairos.engine.rule.reads.needs import EVERY_FIELD, Needs

Count = Callable[[str], None]
"""Hears of what became of lookups: `hit`, `wait` (a decision came before its profile), `failure`, `emptied` (a failure
because the store has lost what was in it), `degraded`."""
LOOK_SECONDS = 1.0
"""So often it is looked for new snapshots of crowds."""
BACKOFF_SECONDS = (0.05, 2.0)
GATHER_SECONDS = 0.02
"""So long users that are expected are gathered for one request: events wait for their watermark longer than this."""


class RedisProfiles:
    """A bounded cache that a helper thread fills while events wait for their watermark.

    `need`, `expect`, `get`, `say` and `close` are for the caller's one thread; the helper talks to Redis and the cache,
    to nothing else. With Redis away, or emptied, `get` waits, with a growing pause, or answers `Degraded` at once.
    """

    def __init__(
        self,
        client: redis.Redis,
        ttl: float,
        max_users: int,
        count: Count,
        *,
        degrade: bool,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._ttl = ttl
        self._max_users = max_users
        self._count = count
        self._degrade = degrade
        self._clock = clock
        self._pause = pause
        self._needs = EVERY_FIELD
        self._cache: OrderedDict[str, tuple[float, Profile | None]] = OrderedDict()
        self._live: dict[str, int] = {}  # the snapshots of crowds that everything in the cache has seen
        self._lock = threading.Lock()
        self._wanted: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._asked: set[str] = set()
        self._on_the_way = threading.Lock()  # held while users are fetched
        self._closing = threading.Event()
        self._unsaid: deque[ConsentChange] = deque(maxlen=max_users)
        self._filled = False  # whether anything was ever there
        self._had_snapshots: set[str] = set()
        self._helper = threading.Thread(target=self._prefetch, name="profiles", daemon=True)
        self._helper.start()

    def need(self, needs: Needs) -> None:
        """Says which fields, crowds and lists are to be fetched from now on; what was cached for other needs is
        forgotten."""
        if needs != self._needs:
            with self._lock:
                self._needs = needs
                self._cache.clear()

    def expect(self, user_id: str) -> None:
        if user_id in self._asked or self._cached(user_id) is not None:
            return
        if len(self._asked) < self._max_users:
            self._asked.add(user_id)
            self._wanted.put(user_id)

    def get(self, user_id: str) -> Profile | None:
        entry = self._cached(user_id)
        if entry is not None:
            self._count("hit")
            return entry[1]
        self._count("wait")
        backoff = Backoff(*BACKOFF_SECONDS)
        while True:
            try:
                return self._wait_for(user_id)
            except redis.RedisError as error:
                self._count("failure")
                if isinstance(error, EmptiedError):
                    self._count("emptied")
                if self._degrade:
                    self._count("degraded")
                    return Degraded()
                self._pause(backoff.pause())

    def _wait_for(self, user_id: str) -> Profile | None:
        """The user may be on the way already; if not, all that are expected by now come along. Raises
        redis.RedisError."""
        with self._on_the_way:
            entry = self._cached(user_id)
            if entry is not None:
                return entry[1]
            others = [user for user in self._expected(BATCH - 1) if user != user_id]
            return self._fetch_together([user_id, *others])[0]

    def say(self, change: ConsentChange) -> None:
        """Waits like `get`; where it does not wait, it is said with the next word."""
        self._unsaid.append(change)
        pause, longest = BACKOFF_SECONDS
        while self._unsaid:
            try:
                with suppress(UnreadableConsentsError):  # which is a no to everything
                    say(self._client, self._unsaid[0])
                self._unsaid.popleft()
            except redis.RedisError:
                self._count("failure")
                if self._degrade:
                    return
                self._pause(pause)
                pause = min(pause * 2, longest)

    def close(self) -> None:
        self._closing.set()
        self._wanted.put(None)
        self._helper.join(TIMEOUT_SECONDS)
        self._client.close()

    def _cached(self, user_id: str) -> tuple[float, Profile | None] | None:
        entry = self._cache.get(user_id)
        return entry if entry is not None and entry[0] > self._clock() else None

    def _keep(self, user_id: str, profile: Profile | None, needs: Needs, live: dict[str, int]) -> None:
        with self._lock:
            if needs is not self._needs:
                return
            self._see(live)
            self._cache[user_id] = (self._clock() + self._ttl, profile)
            self._cache.move_to_end(user_id)
            while len(self._cache) > self._max_users:
                self._cache.popitem(last=False)

    def _see(self, live: dict[str, int]) -> None:
        """With another snapshot before the job, what is cached is of the past."""
        if live != self._live:
            self._cache.clear()
            self._live = live

    def _look(self) -> None:
        """Whether there is another snapshot."""
        needs = self._needs
        with suppress(redis.RedisError):
            kept = sorted(needs.kept)
            answers = cast(list[bytes | None], self._client.hmget(LIVE, kept)) if kept else []
            live = live_numbers(kept, answers)
            with self._lock:
                if needs is self._needs:
                    self._see(live)

    def _next(self) -> str | None:
        """A user to be fetched; meanwhile it is looked for new snapshots."""
        while True:
            try:
                return self._wanted.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._look()

    def _prefetch(self) -> None:
        """The helper thread: fetches users that were expected. What it fails to fetch, `get` fetches when it is
        needed."""
        while (first := self._next()) is not None:
            self._closing.wait(GATHER_SECONDS)
            try:
                with self._on_the_way:
                    self._fetch_together([first, *self._expected(BATCH - 1)])
            except redis.RedisError:
                self._pause(BACKOFF_SECONDS[0])

    def _expected(self, most: int) -> list[str]:
        """Users that nobody has begun to fetch."""
        users: list[str] = []
        with suppress(queue.Empty):
            while len(users) < most:
                user = self._wanted.get_nowait()
                if user is None:  # the end: for whoever asks next
                    self._wanted.put(None)
                    break
                users.append(user)
        return users

    def _fetch_together(self, users: list[str]) -> list[Profile | None]:
        """Raises redis.RedisError."""
        try:
            needs = self._needs
            profiles, live = self.fetch(users, needs)
            for user, profile in zip(users, profiles, strict=True):
                self._keep(user, profile, needs, live)
            return list(profiles)
        finally:
            self._asked.difference_update(users)

    def fetch(self, users: Sequence[str], needs: Needs) -> tuple[list[dict[str, Any] | None], dict[str, int]]:
        """(profiles, live snapshots), in one round trip: a command for each user, and one for each set. Raises
        redis.RedisError.

        First it is asked which snapshots are live, and all of it at one moment: whoever is in a crowd is in that of the
        same snapshot. Last it is asked whether the store is still the one that was filled: nothing of these answers is
        from after it was emptied.
        """
        commands: list[Sequence[str]] = []
        names = None if needs.fields is None else sorted(needs.fields)
        kept = sorted(needs.kept)
        if kept:
            commands.append(("HMGET", LIVE, *kept))
        for user in users:
            commands.append(("HGETALL", PREFIX + user) if names is None else ("HMGET", PREFIX + user, *names))
            if kept:
                commands.append(("HMGET", MEMBERS + user, *kept))
        sets = [("crowds", CROWD, name) for name in sorted(needs.crowds)]
        sets += [("lists", LIST, name) for name in sorted(needs.lists)]
        commands += [("SMISMEMBER", prefix + name, *users) for _, prefix, name in sets]
        commands.append(("EXISTS", FILLED))
        *answers, filled = ask(self._client, commands, at_once=bool(kept))
        live = live_numbers(kept, sound(answers.pop(0))) if kept else {}
        step = 2 if kept else 1
        of_users, of_sets = answers[: step * len(users)], answers[step * len(users) :]
        for answer in (*of_sets, filled):
            sound(answer)
        profiles = [read_profile(names, answer) for answer in of_users[::step]]
        known = any(profile is not None for profile in profiles)
        for (field, _, name), members in zip(sets, of_sets, strict=True):
            for place, member in enumerate(members):
                if member:
                    profiles[place] = member_of(profiles[place], field, name)
        self._check_filled(bool(filled), known or any(profile is not None for profile in profiles))
        if kept:
            self._check_live(live)
            spans = [sound(answer) for answer in of_users[1::2]]
            profiles = [with_crowds(p, live, crowds_in(kept, s, live)) for p, s in zip(profiles, spans, strict=True)]
        return profiles, live

    def _check_live(self, live: Mapping[str, int]) -> None:
        """Raises EmptiedError. Where a crowd had a snapshot and has none, nobody can say who is in it."""
        self._had_snapshots |= live.keys()
        if self._needs.kept & (self._had_snapshots - live.keys()):
            raise EmptiedError("the snapshots of crowds are gone from the profile store")

    def _check_filled(self, marked: bool, found: bool) -> None:
        """Raises EmptiedError. A store that others filled is marked when the first profile is found in it."""
        if not marked and self._filled:
            raise EmptiedError("the profile store has been emptied")
        if not marked and found:
            with suppress(redis.ResponseError):  # whoever may only read leaves it to `kairos profiles load`
                marked = bool(self._client.set(FILLED, 1))
        self._filled = marked
