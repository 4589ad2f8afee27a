"""The conditions in CEL by cel-expr-python (C++), compiled once: `python -m benchmarks.peers.with_cel_expr N`.

`N` events. Its best form: an event is converted once, for all ten conditions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from cel_expr_python import cel

from benchmarks.peers.conditions import CONDITIONS, Condition, events, measure


def compiled(environment: cel.Env, condition: Condition) -> Callable[[cel.Activation], Any]:
    evaluate = environment.compile(condition.cel).eval
    return lambda activation: evaluate(activation).value()


if __name__ == "__main__":
    environment = cel.NewEnv(variables={"event": cel.Type.DYN})
    evaluators = [compiled(environment, condition) for condition in CONDITIONS]
    print(measure(events(int(sys.argv[1])), evaluators, lambda props: environment.Activation({"event": props})))
