"""The job's calls into private parts of PyFlink and Flink, in one place; tests/flink takes checkpoints through each.
What has to be done inside a task is in operators/thread_mode.py.

What the public Python API cannot do: key on the JVM side (a Python key function costs half the throughput), give rows
that leave a table a type that thread mode can convert, and name the operators that the SQL planner makes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

from pyflink import java_gateway
from pyflink.common import JobClient, Types
from pyflink.common.typeinfo import TypeInformation
from pyflink.datastream import DataStream, KeyedStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment, Table


def rows_of(tables: StreamTableEnvironment, table: Table, row_type: TypeInformation) -> DataStream:
    """Table -> stream of rows. Thread mode cannot cast the planner's own type, so the same one is declared again."""
    stream = tables.to_data_stream(table)
    stream._j_data_stream.getTransformation().setOutputType(row_type.get_java_type_info())
    return stream


def key_by_first_field(stream: DataStream) -> KeyedStream:
    """Keys rows (key STRING, value) on their first field inside the JVM; a keyed function gets the second field.

    The selector is the one that PyFlink puts behind its own Python `key_by`. The key type must be a row of one field.
    """
    selector = get_gateway().jvm.org.apache.flink.streaming.api.functions.python.KeyByKeySelector()
    key_type = Types.ROW([Types.STRING()])
    keyed = stream._j_data_stream.keyBy(selector, key_type.get_java_type_info())
    return KeyedStream(keyed, Types.STRING(), stream)


def name_operators(env: StreamExecutionEnvironment) -> list[str]:
    """Gives every operator that has none yet a uid made of its kind and place, so that state finds its way back.

    Returns all uids. With `pipeline.auto-generate-uids: false` Flink refuses a job in which one is missing.
    """
    taken: Counter[str] = Counter()
    uids = []
    for transformation in _transformations(env):
        if transformation.getUid() is None:
            kind = (
                re.sub(r"[^a-z]+", "-", re.sub(r"\[.*", "", transformation.getName()).lower()).strip("-") or "operator"
            )
            taken[kind] += 1
            transformation.setUid(f"{kind}-{taken[kind]}")
        uids.append(str(transformation.getUid()))
    return uids


def _transformations(env: StreamExecutionEnvironment) -> list[Any]:
    """Every transformation of the job, inputs first, each once."""
    ordered: dict[int, Any] = {}

    def visit(transformation: Any) -> None:
        if transformation.getId() in ordered:
            return
        for source in transformation.getInputs():
            visit(source)
        ordered[transformation.getId()] = transformation

    for transformation in env._j_stream_execution_environment.getTransformations():
        visit(transformation)
    return list(ordered.values())


def stop_with_savepoint(client: JobClient, folder: str) -> str:
    """Drains nothing, so that the job can be resumed; returns the savepoint's path. PyFlink's own call is broken."""
    formats = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType
    return str(client._j_job_client.stopWithSavepoint(False, folder, formats.CANONICAL).get())


def forward_errors() -> None:
    """Copies what the JVM and the Python inside it write to standard error to our own.

    PyFlink opens a pipe for it that nobody reads: once full, whoever logs would wait for ever.
    """
    start = java_gateway.launch_gateway_server_process

    def start_and_forward(env: dict[str, str], args: list[str]) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = start(env, args)
        threading.Thread(target=_copy_errors, args=(process,), daemon=True).start()
        return process

    java_gateway.launch_gateway_server_process = start_and_forward


def _copy_errors(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        sys.stderr.write(line.decode("utf-8", "replace"))
        sys.stderr.flush()
