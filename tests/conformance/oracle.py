"""Flink CEP's own automaton as a child process: FlinkOracle.java against the jars that come with PyFlink."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

import pyflink

from kairos.engine.event import Event
from kairos.engine.pattern import Pattern, Step
from tests.conformance.harness import Case, Steps

JARS = Path(pyflink.__file__).parent / "lib"
SOURCE = Path(__file__).parent / "FlinkOracle.java"


class RefusedError(Exception):
    """Flink does not accept the pattern; the message is its exception."""


class Oracle:
    """A context: compiles into `folder`, runs until the context ends, answers one case at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._classpath = ":".join(str(jar) for jar in JARS.glob("flink-*.jar") if "table-planner" not in jar.name)

    @staticmethod
    def available() -> bool:
        return shutil.which("javac") is not None

    def __enter__(self) -> Oracle:
        compile_it = ["javac", "-nowarn", "-cp", self._classpath, "-d", str(self._folder), str(SOURCE)]
        subprocess.run(compile_it, check=True, capture_output=True)
        self._process = subprocess.Popen(
            ["java", "-cp", f"{self._folder}:{self._classpath}", SOURCE.stem],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def matches(self, case: Case) -> list[Steps]:
        """All matches, in the order in which Flink's NFA gives them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(_case(case)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        found: list[Steps] = answer["matches"]
        return found


def _case(case: Case) -> dict[str, object]:
    pattern: Pattern = case.pattern
    types = {name for step in pattern.steps for name in step.types}
    return {
        "steps": [_step(step) for step in pattern.steps],
        "within": pattern.within,
        "within_kind": pattern.within_kind,
        "after_match": [pattern.after_match.kind, pattern.after_match.step],
        # A pattern sees the types that it names; Flink's sees every event of its stream.
        "events": [_event(event) for event in case.events if event.type in types],
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "kind": step.kind,
        "types": step.types,
        "where": _condition(step.where),
        "next": step.next,
        "times": None if step.times is None else [step.times.least, step.times.most],
        "optional": step.optional,
        "greedy": step.greedy,
        "inside": step.inside,
        "until": _condition(step.until),
    }


def _condition(condition: object) -> object:
    return json.loads(condition) if isinstance(condition, str) else None


def _event(event: Event) -> list[object]:
    return [event.id, event.type, event.time, event.props["name"], event.props["x"]]
