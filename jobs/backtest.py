"""The job of `kairos backtest`: spans of users -> play -> one file of results. Bounded, at any parallelism.

    python -m jobs.backtest --conf conf/embedded.yaml --folder FOLDER [--set job.parallelism=2]...

FOLDER holds `task.json` and `spans.json`, which `kairos backtest` has written, and gets the results. Of the
configuration the sections `job` and `flink` count. Every TaskManager must reach the warehouse and FOLDER.
Exit codes: 0 done, 1 the job failed, 2 it could not start.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from jobs import launch
from jobs.environment import configuration, on_cluster, prepare_process
from jobs.jvm import name_operators
from jobs.progress import free_port
from jobs.settings import SettingsError, load_job
from jobs.sinks import file_sink
from kairos.usecases.rules.backtest import PARTS, RESULTS, SPANS, TASK, Span, Task, play_span
from operators.backtest import PlaySpan
from operators.rows import OUTPUT


def open_play(task: str) -> Callable[[str], bytes]:
    """`task`: the file of what all tasks are told."""
    told = msgspec.json.decode(Path(task).read_bytes(), type=Task)
    span = msgspec.json.Decoder(Span)
    return lambda text: msgspec.json.encode(play_span(told, span.decode(text)))


def compose(env: StreamExecutionEnvironment, folder: Path) -> None:
    tables = StreamTableEnvironment.create(env)
    spans = msgspec.json.decode((folder / SPANS).read_bytes(), type=list[Span])
    texts = [msgspec.json.encode(span).decode() for span in spans]
    source = env.from_collection(texts, Types.STRING()).uid("spans").set_parallelism(1)
    function = PlaySpan(partial(open_play, str(folder / TASK)), RESULTS)
    results = source.rebalance().flat_map(function, OUTPUT).uid("play").name("play")
    tables.create_temporary_view("outputs", results)
    statements = tables.create_statement_set()
    file_sink(tables, statements, (folder / PARTS).as_uri())
    statements.attach_as_datastream()
    name_operators(env)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="backtest", description="Plays two sets of rules over a warehouse.")
    parser.add_argument("--conf", default="conf/embedded.yaml", help="configuration file (default: %(default)s)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="overrides a key")
    parser.add_argument("--folder", required=True, type=Path, help="what `kairos backtest` has prepared")
    options = parser.parse_args(arguments)
    try:
        settings = load_job(options.conf, options.set)
    except SettingsError as error:
        launch.say(str(error))
        return 2
    if not on_cluster():
        prepare_process(settings)
    port = free_port()
    env = StreamExecutionEnvironment.get_execution_environment(configuration(settings, None, port))
    compose(env, options.folder.absolute())
    client = env.execute_async("kairos backtest")
    launch.say(f"job {client.get_job_id()} is running")
    return 0 if on_cluster() else launch.wait(client, settings, port, None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
