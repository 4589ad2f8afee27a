"""A shorter way from the JVM to a function in thread mode, past private parts of PyFlink; no semantics are its own.

On its way an event passes two `Row` objects made field by field and four generators, and a result is asked for twice
through JNI even where there is none, which is nearly always: a third of all that is done about an event
(docs/performance.md). Other modes have other ways, and are left alone. tests/flink runs every job through it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from inspect import getclosurevars
from typing import Any, TypeVar
from weakref import WeakSet

from pyflink.common import Row
from pyflink.datastream import KeyedBroadcastProcessFunction
from pyflink.datastream.state import MapState, ValueState

State = TypeVar("State", ValueState, MapState)

_receivers: WeakSet[KeyedBroadcastProcessFunction] = WeakSet()
_OPERATIONS = "pyflink.fn_execution.embedded.operations"  # imported in thread mode alone


def receive_directly(function: KeyedBroadcastProcessFunction) -> None:
    """From now on its `process_element` gets the whole row, as a tuple of its fields.

    To be called where it opens. Its input is a row of plain types, and it returns a sequence. Functions of other jobs
    in the same Python are served as before.
    """
    operations = sys.modules.get(_OPERATIONS)
    if operations is None:
        return
    _receivers.add(function)
    operation = operations.TwoInputFunctionOperation
    if not hasattr(operation, "process_element1_of_pyflink"):
        operation.process_element1_of_pyflink = operation.process_element1
    operation.process_element1 = _first_element


def bare(state: State) -> State:
    """In thread mode the state of the JVM itself, without PyFlink's, which pickles even bytes."""
    return getattr(state, "_state", state) if _OPERATIONS in sys.modules else state


def _first_element(operation: Any, value: Any) -> Any:
    """The class's method; what it finds out once it leaves with its object, under the same name."""
    bound = getclosurevars(operation._main_operation._process_element_func1).nonlocals
    function, context = bound.get("process_element"), bound.get("read_only_broadcast_ctx")
    if function is None or getattr(function, "__self__", None) not in _receivers:
        operation.process_element1 = operation.process_element1_of_pyflink
        return operation.process_element1(value)

    from pemja import findClass

    nothing = findClass("org.apache.flink.util.CloseableIterator").empty()

    def process_element(value: Any) -> Any:
        """`value`: (row kind, fields). Returns an iterator: Java's own, where it is empty."""
        rows: Sequence[Row] = function(value[1], context)
        return operation._output_elements(operation._process_elements(rows)) if rows else nothing

    operation.process_element1 = process_element
    return process_element(value)
