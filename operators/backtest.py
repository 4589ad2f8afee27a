"""A backtest's only operator: it takes some users at a time, and hands on what was found about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyflink.common import Row
from pyflink.datastream import FlatMapFunction, RuntimeContext

from operators.rows import output


class PlaySpan(FlatMapFunction):
    """`open_play`: called once in each task; gives which users (JSON) -> what was found out (JSON, without line
    breaks). `topic`: of what it hands on."""

    def __init__(self, open_play: Callable[[], Callable[[str], bytes]], topic: str) -> None:
        self._open_play = open_play
        self._topic = topic

    def open(self, runtime_context: RuntimeContext) -> None:
        self._play = self._open_play()

    def flat_map(self, value: str) -> Iterator[Row]:
        yield output(self._topic, None, self._play(value), 0)
