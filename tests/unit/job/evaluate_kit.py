"""The hot operator with everything that Flink is to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from kairos.engine.event import CONTROLS, KAIROS
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from operators.evaluate import Evaluate, EvaluateSettings
from operators.rules import Announcement, Shipped

T = 1_763_778_000_000


class Shelf:
    """Flink's map state."""

    def __init__(self, flink: Flink) -> None:
        self._flink = flink
        self.parts: dict[tuple[str, str], bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.parts.get((self._flink.key, name))

    def put(self, name: str, part: bytes) -> None:
        self.parts[self._flink.key, name] = part

    def remove(self, name: str) -> None:
        self.parts.pop((self._flink.key, name), None)


class Flink:
    """Everything that Flink is to the operator: contexts, keyed and broadcast state, timers, counters."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.shelf = Shelf(self)
        self.key = ""
        self.watermark = 0
        self.timers: list[int] = []
        self.counted: Counter[str] = Counter()
        self.broadcast: dict[str, bytes] = {}
        self.group = ""

    # runtime context and metrics
    def get_state(self, _descriptor: object) -> Flink:
        return self

    def get_map_state(self, _descriptor: object) -> Shelf:
        return self.shelf

    def get_metrics_group(self) -> Flink:
        return self

    def add_group(self, name: str) -> Flink:
        self.group = name
        return self

    def counter(self, name: str) -> Any:
        full = f"{self.group}.{name}"
        counted = self.counted

        class One:
            def inc(self, by: int = 1) -> None:
                counted[full] += by

        return One()

    # value state
    def value(self) -> bytes | None:
        return self.values.get(self.key)

    def update(self, value: bytes) -> None:
        self.values[self.key] = value

    def clear(self) -> None:
        self.values.pop(self.key, None)

    # broadcast state
    def get(self, name: str) -> bytes | None:
        return self.broadcast.get(name)

    def put(self, name: str, value: bytes) -> None:
        self.broadcast[name] = value

    # contexts
    def get_broadcast_state(self, _descriptor: object) -> Flink:
        return self

    def timer_service(self) -> Flink:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def register_event_time_timer(self, time: int) -> None:
        self.timers.append(time)

    def get_current_key(self) -> str:
        return self.key


class Operator:
    def __init__(self, rules: RuleSet) -> None:
        self.flink: Any = Flink()
        shipped = msgspec.msgpack.encode(Shipped(Release(1, rules), 100))
        self.function = Evaluate(shipped, EvaluateSettings(Settings(), 3_600_000, 1_000), None, lambda: T / 1000)
        self.function.open(self.flink)

    def event(self, user: str, kind: str, time: int, watermark: int = 0) -> list[tuple[str, dict[str, Any]]]:
        self.flink.key, self.flink.watermark = user, watermark
        value = {"id": f"{user}{kind}{time}", "type": kind, "user_id": user, "time": time, "source": "shop"}
        if kind in CONTROLS:
            value["source"] = KAIROS
        record = (user, msgspec.json.encode(value), time, "events.shop/0@1")
        return shown(self.function.process_element(record, self.flink))  # type: ignore[arg-type]

    def record(self, key: str | None, value: bytes | None) -> list[tuple[str, dict[str, Any]]]:
        row: Any = (key, value, T, "events.shop/0@1")
        return shown(self.function.process_element(row, self.flink))

    def state(self, user: str) -> UserState:
        return StateCodec().decode(self.flink.values[user])

    def timer(self, user: str, time: int, watermark: int) -> list[tuple[str, dict[str, Any]]]:
        self.flink.key, self.flink.watermark = user, watermark
        return shown(self.function.on_timer(time, self.flink))

    def release(self, rules: RuleSet, effective_at: int) -> None:
        announcement = Announcement(Release(2, rules, effective_at), 100, effective_at, shipped=False)
        assert not list(self.function.process_broadcast_element(msgspec.msgpack.encode(announcement), self.flink))


def shown(rows: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(topic, msgspec.json.decode(value)) for topic, _, value, _ in rows]
