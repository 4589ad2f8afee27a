"""The handwritten rules in Quix Streams:
`python -m benchmarks.peers.with_quix RULES BOOTSTRAP TOPIC COUNT TOTAL STORE [safe]`.

It reads Kafka and nothing else. Its state is as light as it offers: no changelog topic, one value a user, written only
where it has changed, in memory or in RocksDB (`STORE`). `safe`: `SafeRules`, each event with the watermark behind it.
All `TOTAL` records are read; the first `COUNT` are measured.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import orjson
from quixstreams import Application, State
from quixstreams.state.memory import MemoryStore

from benchmarks.peers.handwritten import LATENESS, Found, Rule, Rules, Safe, SafeRules
from benchmarks.peers.meter import Meter


class Function:
    """What is applied to every event; the application is stopped after `total`."""

    def __init__(self, rules: Rules, meter: Meter, total: int, app: Application) -> None:
        self._rules, self._meter, self._app = rules, meter, app
        self._seen, self._total = 0, total
        self.results: list[tuple[str, str, int]] = []

    def __call__(self, event: dict[str, Any], state: State) -> list[Found]:
        self._count()
        found = self._apply(event, state)
        for match in found:
            self.results.append((match.rule, event["user_id"], match.at))
        return found

    def _count(self) -> None:
        if self._seen == self._meter.begin_at:
            self._meter.begin()
        if self._seen == self._meter.count:
            self._meter.end()
        self._seen += 1
        if self._seen == self._total:
            self._app.stop()

    def _apply(self, event: dict[str, Any], state: State) -> list[Found]:
        opened = state.get("opened") or {}
        before = orjson.dumps(opened)
        found = self._rules.on_event(opened, event)
        if orjson.dumps(opened) != before:
            state.set("opened", opened)
        return found


class SafeFunction(Function):
    def __init__(self, rules: Rules, meter: Meter, total: int, app: Application) -> None:
        super().__init__(rules, meter, total, app)
        self._safe_rules = SafeRules(rules)

    def _apply(self, event: dict[str, Any], state: State) -> list[Found]:
        user = Safe()
        if (kept := state.get("user")) is not None:
            user.opened, tail, user.seen, user.prune_at = kept
            user.tail = [tuple(entry) for entry in tail]
        found = self._safe_rules.on_event(user, event, event["time"] - LATENESS - 1)
        state.set("user", [user.opened, user.tail, user.seen, user.prune_at])
        return found


def main(rules: Rules, bootstrap: str, topic: str, count: int, total: int, store: str, safe: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            broker_address=bootstrap,
            consumer_group=f"quix-{os.getpid()}",
            auto_offset_reset="earliest",
            state_dir=folder,
            use_changelog_topics=False,
            loglevel="WARNING",
        )
        meter = Meter(count)
        function = (SafeFunction if safe else Function)(rules, meter, total, app)
        frame = app.dataframe(app.topic(topic, value_deserializer="json"))
        if store == "memory":
            frame.register_store(MemoryStore)
        frame.apply(function, stateful=True, expand=True)
        app.run()
    meter.tell(function.results)


if __name__ == "__main__":
    _, given, bootstrap, topic, count, total, store, *form = sys.argv
    rules = Rules([Rule(*fields) for fields in orjson.loads(given)])
    main(rules, bootstrap, topic, int(count), int(total), store, "safe" in form)
