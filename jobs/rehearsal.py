"""What can be done for a job before its predecessor is stopped, so that the time between the two is short."""

from __future__ import annotations

import msgspec
from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

from jobs.checks import StartError
from jobs.environment import configuration
from jobs.jvm import name_operators
from jobs.settings import Settings
from kairos.adapters.gate import LOADING
from kairos.adapters.java import first_cause
from operators.loading import BeThere


def load_python(settings: Settings, slots: int) -> None:
    """Starts Python with our code in free slots: by a job that takes so many of them, and ends.

    Raises StartError where it fails, at its first failure.
    """
    env = StreamExecutionEnvironment.get_execution_environment(configuration(for_loading(settings), None, 0))
    env.set_parallelism(slots)
    numbers = env.from_collection(list(range(slots)), Types.INT()).rebalance()
    numbers.flat_map(BeThere(for_loading), Types.INT()).print()
    name_operators(env)
    try:
        env.execute_async(LOADING).get_job_execution_result().result()
    except Exception as error:  # py4j's, of many kinds
        raise StartError(f"Python cannot be loaded in {slots} free slots: {first_cause(str(error))}") from None


def for_loading(settings: Settings) -> Settings:
    """Of a job that leaves no checkpoint, which somebody might go on from, and is not started again when it fails."""
    return msgspec.structs.replace(
        settings,
        state=msgspec.structs.replace(settings.state, checkpoints=None),
        flink={**settings.flink, "restart-strategy.type": "none"},
    )
