"""The shorter way into Python: for functions that asked for it, and for no other in the same interpreter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pyflink.datastream import KeyedBroadcastProcessFunction

from operators.thread_mode import bare, receive_directly

NOTHING = object()
"""Java's empty iterator."""


class Operation:
    """What PyFlink calls `TwoInputFunctionOperation`."""

    def __init__(
        self, process_element_func1: Callable[[Any], Iterable[Any]], on_timer_func: Callable[[int], Iterable[Any]]
    ) -> None:
        self._main_operation = SimpleNamespace(
            _process_element_func1=process_element_func1, _on_timer_func=on_timer_func
        )

    def process_element1(self, value: Any) -> Iterator[Any]:
        yield from self._output_elements(self._main_operation._process_element_func1(value))

    def on_timer(self, timestamp: int) -> Iterator[Any]:
        yield from self._output_elements(self._main_operation._on_timer_func(timestamp))

    def _process_elements(self, rows: Iterable[Any]) -> Iterable[Any]:
        return rows

    def _output_elements(self, rows: Iterable[Any]) -> Iterator[Any]:
        for row in rows:
            yield f"out {row}"


class Function(KeyedBroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> list[Any]:
        return [(ctx, value)] if value[0] else []

    def on_timer(self, timestamp: int, ctx: Any) -> list[Any]:
        return [(ctx, timestamp)] if timestamp else []

    def process_broadcast_element(self, value: Any, ctx: Any) -> list[Any]:
        return []


Make = Callable[[Function], Operation]


@pytest.fixture
def operation_of(monkeypatch: pytest.MonkeyPatch) -> Make:
    """PyFlink's operation around a function, which is closed over as `extract_process_function` does it."""
    kind = type("TwoInputFunctionOperation", (Operation,), {})
    operations, pemja = ModuleType("operations"), ModuleType("pemja")
    operations.TwoInputFunctionOperation = kind  # type: ignore[attr-defined]
    pemja.findClass = lambda name: SimpleNamespace(empty=lambda: NOTHING)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyflink.fn_execution.embedded.operations", operations)
    monkeypatch.setitem(sys.modules, "pemja", pemja)

    def make(function: Function) -> Operation:
        process_element, read_only_broadcast_ctx = function.process_element, "ctx"

        def process_element_func1(value: Any) -> Iterator[Any]:
            yield from process_element(value[1], read_only_broadcast_ctx)

        on_timer, timer_context = function.on_timer, "timer's"

        def on_timer_func(timestamp: int) -> Iterator[Any]:
            yield from on_timer(timestamp, timer_context)

        return kind(process_element_func1, on_timer_func)

    return make


def test_who_asked_gets_the_whole_row_and_answers_nothing_with_an_iterator_of_java(operation_of: Make) -> None:
    function = Function()
    operation = operation_of(function)
    receive_directly(function)
    for _ in range(2):
        assert list(operation.process_element1((0, ("k", "v")))) == ["out ('ctx', ('k', 'v'))"]
        assert operation.process_element1((0, ("", "v"))) is NOTHING
        assert list(operation.on_timer(7)) == ['out ("timer\'s", 7)']
        assert operation.on_timer(0) is NOTHING


def test_functions_of_others_are_served_as_before(operation_of: Make) -> None:
    ours, others = Function(), Function()
    for function in (ours, Function(), ours):  # of several tasks, one of them after a restart
        receive_directly(function)
    operation = operation_of(others)
    for _ in range(2):
        assert list(operation.process_element1(("k", ("k", "v")))) == ["out ('ctx', ('k', 'v'))"]
        assert list(operation.process_element1(("", ("", "v")))) == []
        assert list(operation.on_timer(7)) == ['out ("timer\'s", 7)']
        assert list(operation.on_timer(0)) == []


def test_in_other_modes_nothing_changes() -> None:
    state: Any = SimpleNamespace(_state="the JVM's")
    receive_directly(Function())
    assert bare(state) is state


@pytest.mark.usefixtures("operation_of")
def test_state_is_the_jvm_s() -> None:
    state: Any = SimpleNamespace(_state="the JVM's")
    assert bare(state) == "the JVM's"
