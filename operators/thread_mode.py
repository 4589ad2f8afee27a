"""A shorter way from the JVM to a function in thread mode, past private parts of PyFlink; no semantics are its own.

On its way an event passes two `Row` objects made field by field and four generators, and a result is asked for twice
through JNI even where there is none, which is nearly always: a third of all that is done about an event
(docs/performance.md). Other modes have other ways, and are left alone. tests/flink runs every job through it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from inspect import getclosurevars
from typing import Any

from pyflink.common import Row
from pyflink.datastream.state import ValueState

_OPERATIONS = "pyflink.fn_execution.embedded.operations"  # imported in thread mode alone


def receive_directly() -> None:
    """From now on `process_element` of keyed broadcast functions gets the whole row, as a tuple of its fields.

    To be called where such a function opens. Its input is a row of plain types, and it returns a sequence.
    """
    operations = sys.modules.get(_OPERATIONS)
    if operations is not None:
        operations.TwoInputFunctionOperation.process_element1 = _first_element


def bare(state: ValueState) -> ValueState:
    """In thread mode the state of the JVM itself, without PyFlink's, which pickles even bytes."""
    return getattr(state, "_state", state) if _OPERATIONS in sys.modules else state


def _first_element(operation: Any, value: Any) -> Any:
    """The class's method; what it finds out once it leaves with its object, under the same name."""
    from pemja import findClass

    bound = getclosurevars(operation._main_operation._process_element_func1).nonlocals
    function, context = bound["process_element"], bound["read_only_broadcast_ctx"]
    nothing = findClass("org.apache.flink.util.CloseableIterator").empty()

    def process_element(value: Any) -> Any:
        """`value`: (row kind, fields). Returns an iterator: Java's own, where it is empty."""
        rows: Sequence[Row] = function(value[1], context)
        return operation._output_elements(operation._process_elements(rows)) if rows else nothing

    operation.process_element1 = process_element
    return process_element(value)
