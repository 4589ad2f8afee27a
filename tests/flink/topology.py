"""Prints what a savepoint of the live job depends on, as JSON: composes the job and does not run it."""

from __future__ import annotations

import json
import sys

import msgspec
from pyflink.datastream import StreamExecutionEnvironment

from jobs.environment import MAX_PARALLELISM, configuration, prepare_process
from jobs.jvm import name_operators
from jobs.launch import Run
from jobs.marketing import compose
from jobs.settings import load
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from operators.rules import Shipped


def main(log_dir: str) -> None:
    settings = load("conf/local.yaml", [f"job.log_dir={log_dir}", *(f"job.mode={mode}" for mode in sys.argv[2:])])
    prepare_process(settings)
    env = StreamExecutionEnvironment.get_execution_environment(configuration(settings, None, 0))
    env.set_max_parallelism(MAX_PARALLELISM)
    compose(env, settings, Run(msgspec.msgpack.encode(Shipped(Release(1, RuleSet()), 1)), None))
    uids = sorted(set(name_operators(env)))
    sys.stdout.write(json.dumps({"uids": uids, "max_parallelism": env.get_max_parallelism()}))


if __name__ == "__main__":
    main(sys.argv[1])
