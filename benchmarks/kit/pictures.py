"""What the pictures of the page show, from what is recorded. benchmarks/peers/draw.py draws them, elsewhere."""

from __future__ import annotations

import msgspec

from benchmarks.job import latency as job_latency
from benchmarks.job import throughput as job_throughput
from benchmarks.kit.results import Result, attained

Recorded = dict[str, Result]
"""By measure."""
Points = list[tuple[float, float]]


class Line(msgspec.Struct):
    """Points that were measured, and those that were drawn out from them."""

    name: str
    measured: Points
    drawn_out: Points = []


class Lines(msgspec.Struct, tag="lines"):
    """On two logarithmic axes. `level`: the name and the y of what does not depend on x."""

    title: str
    x: str
    y: str
    lines: list[Line]
    level: tuple[str, float]


class Bar(msgspec.Struct):
    """`goal`: where its mark stands, if there is one, and whether it was met. `says`: behind the bar."""

    name: str
    value: float
    says: str
    goal: float | None = None
    met: bool | None = None


class Bars(msgspec.Struct, tag="bars"):
    """`about_one`: on a logarithmic axis, each bar from 1 to its value."""

    title: str
    x: str
    bars: list[Bar]
    about_one: bool = False


def pictures(recorded: Recorded) -> dict[str, Lines | Bars]:
    """By name. Raises KeyError where a benchmark has recorded nothing yet."""
    return {"throughput": throughput(recorded), "delays": delays(recorded), "goals": goals(recorded)}


def throughput(recorded: Recorded) -> Lines:
    forms, counts = job_throughput.FORMS, list(job_throughput.GOALS_PEER)
    against = {form: [recorded[job_throughput.against_peer(n, form)] for n in counts] for form in forms}
    ours = [result.ours for result in next(iter(against.values()))]
    of_floor = job_throughput.OF_FLOOR
    floor = recorded[job_throughput.against_floor(of_floor)].peer or 0
    lines = [Line("Kairos", list(zip(counts, ours, strict=True)))]
    lines += [_line_of_peer(form, counts, results) for form, results in against.items()]
    level = (f"the floor, with the timers of {of_floor} rules", floor)
    return Lines("Throughput of the job, one slot", "live rules", "events a second", lines, level)


def _line_of_peer(form: str, counts: list[int], results: list[Result]) -> Line:
    measured: list[tuple[float, float]] = []
    drawn_out: list[tuple[float, float]] = []
    for count, result in zip(counts, results, strict=True):
        (measured if count in job_throughput.Size().peers else drawn_out).append((count, result.peer or 0))
    return Line(form, measured, drawn_out)


def delays(recorded: Recorded) -> Bars:
    bars = []
    for what, goal in job_latency.GOALS.items():
        job, prompt = (recorded[job_latency.under_load(what, prompt)] for prompt in (False, True))
        for side, result in (("Kairos", job), ("Kairos, lateness 0", prompt)):
            bars.append(Bar(f"{side}, {what}", result.ours, f"{says(result)} ms", goal, result.met))
        floor = job.peer or 0
        bars.append(Bar(f"the floor, {what}", floor, f"{floor:,.0f} ms"))
    return Bars("From event time + lateness to Kafka, at half of the load", "ms", bars)


def goals(recorded: Recorded) -> Bars:
    bars = [Bar(result.measure, attained(result), says(result), 1, result.met) for result in recorded.values()]
    return Bars("Each measure against its goal", "times as good as the goal asks for", bars, about_one=True)


def says(result: Result) -> str:
    """What was measured, and what was to be."""
    ours = f"{result.ours:,}" if result.ratio is None or not result.goal.endswith("x") else f"{result.ratio:,g}x"
    return f"{ours}; goal: {result.goal}"
