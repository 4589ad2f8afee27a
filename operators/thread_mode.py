"""A shorter way from the JVM to a function in thread mode, past private parts of PyFlink; no semantics are its own.

On its way an event passes two `Row` objects made field by field and four generators, and a result is asked for twice
through JNI even where there is none, which is nearly always: a third of all that is done about an event
(docs/performance.md). A timer's way is as long. Other modes have other ways, and are left alone. tests/flink runs every
job through it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
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

    To be called where it opens. Its input is a row of plain types, and it and `on_timer` return a sequence. Functions
    of other jobs in the same Python are served as before.
    """
    operations = sys.modules.get(_OPERATIONS)
    if operations is None:
        return
    _receivers.add(function)
    operation = operations.TwoInputFunctionOperation
    if not hasattr(operation, "process_element1_of_pyflink"):
        operation.process_element1_of_pyflink = operation.process_element1
        operation.on_timer_of_pyflink = operation.on_timer
    operation.process_element1, operation.on_timer = _first_element, _first_timer


def bare(state: State) -> State:
    """In thread mode the state of the JVM itself, without PyFlink's, which pickles even bytes."""
    return getattr(state, "_state", state) if _OPERATIONS in sys.modules else state


# What stands in the class finds out, with its first call, whose operation it is, and leaves in it what serves that.


def _first_element(operation: Any, value: Any) -> Any:
    process_element, context = _asked(
        operation._main_operation._process_element_func1, "process_element", "read_only_broadcast_ctx"
    )
    if process_element is None:
        operation.process_element1 = operation.process_element1_of_pyflink
    else:
        answer = _answer_of(operation)
        operation.process_element1 = lambda value: answer(process_element(value[1], context))  # (row kind, fields)
    return operation.process_element1(value)


def _first_timer(operation: Any, timestamp: int) -> Any:
    on_timer, context = _asked(operation._main_operation._on_timer_func, "on_timer", "timer_context")
    if on_timer is None:
        operation.on_timer = operation.on_timer_of_pyflink
    else:
        answer = _answer_of(operation)
        operation.on_timer = lambda timestamp: answer(on_timer(timestamp, context))
    return operation.on_timer(timestamp)


def _asked(served: Callable[..., Any] | None, method: str, context: str) -> tuple[Any, Any]:
    """A method of a function that asked for the shorter way, and what is handed to it beside its argument; None: it is
    another's. `served`: PyFlink's, which is closed over both."""
    bound = getclosurevars(served).nonlocals if served is not None else {}
    found = bound.get(method)
    return (found if getattr(found, "__self__", None) in _receivers else None), bound.get(context)


def _answer_of(operation: Any) -> Callable[[Sequence[Row]], Any]:
    """From rows to an iterator: where there are none, Java's own."""
    from pemja import findClass

    nothing = findClass("org.apache.flink.util.CloseableIterator").empty()
    return lambda rows: operation._output_elements(operation._process_elements(rows)) if rows else nothing
