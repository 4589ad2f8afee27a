"""The conditions in zen-engine, each compiled once: `python -m benchmarks.peers.with_zen N`.

`N` events. Its best form: it takes dicts too, but JSON faster, even where that has to be written first.
"""

from __future__ import annotations

import sys

import orjson
import zen

from benchmarks.peers.conditions import CONDITIONS, events, measure

if __name__ == "__main__":
    compiled = [zen.compile_expression(condition.zen).evaluate for condition in CONDITIONS]
    print(measure(events(int(sys.argv[1])), compiled, orjson.dumps))
