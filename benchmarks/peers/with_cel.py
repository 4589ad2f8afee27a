"""The conditions in CEL by common-expression-language (Rust), compiled once: `python -m benchmarks.peers.with_cel N`.

`N` events. Its best form: an event is converted once, for all ten conditions.
"""

from __future__ import annotations

import sys

import cel

from benchmarks.peers.conditions import CONDITIONS, events, measure

if __name__ == "__main__":
    compiled = [cel.compile(condition.cel).execute for condition in CONDITIONS]
    print(measure(events(int(sys.argv[1])), compiled, lambda props: cel.Context({"event": props})))
