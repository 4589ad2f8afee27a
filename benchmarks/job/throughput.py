"""Events a second of the job with 1, 10, 100 and 1,000 live rules, of its floor and of MATCH_RECOGNIZE, on the same
Kafka topic, one slot: `python -m benchmarks.job.throughput [--quick | --write]`.

An event touches three rules (one, where there is only one): sequences and absences within 10 minutes. Only the
steady part counts: what was read from the first quarter of the events, when the JVM has compiled what is hot, to the
last tenth. Slow cases read fewer of them.
The peer's time an event grows with each query: what 100 and 1,000 would cost is drawn out from 10 and 40 of them.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks.job.match_recognize import SOURCE
from benchmarks.job.timers import timers_an_event
from benchmarks.kit.broker import backlog, kafka
from benchmarks.kit.command import arguments, report
from benchmarks.kit.job_run import EVALUATE, JOB, JobRun, Vertex, past
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_least
from benchmarks.kit.workload import events, rules_of, write_rules, yaml_of

FLOOR, PEER = "benchmarks.job.floor", "benchmarks.job.match_recognize"
TOPIC = "past.throughput"
GOALS_PEER = {1: 0.6, 10: 3.0, 100: 20.0, 1_000: 150.0}
GOALS_FLOOR = {100: 0.6, 1_000: 0.5}
FORMS = {"MATCH_RECOGNIZE": ["--unfiltered"], "MATCH_RECOGNIZE behind filters": []}
"""As the manual has it, each query sees every event; with a condition before each, it sees what can be a step of it."""
OF_FLOOR = 100
"""The floor registers as many timers as the job with so many rules."""


@dataclass(frozen=True)
class Size:
    """`peers`: queries -> the events that are read, because the more there are the slower it goes."""

    events: int = 800_000
    users: int = 50_000
    rules: tuple[int, ...] = (1, 10, 100, 1_000)
    peers: dict[int, int] = field(default_factory=lambda: {1: 800_000, 10: 240_000, 40: 80_000})
    forms: tuple[str, ...] = tuple(FORMS)
    direct_floor: bool = True


QUICK = Size(12_000, 2_000, (1,), {1: 12_000}, ("MATCH_RECOGNIZE",), direct_floor=False)


class Bench:
    """All cases read one topic."""

    def __init__(self, size: Size, bootstrap: str, folder: Path) -> None:
        self._size = size
        self._bootstrap = bootstrap
        self._folder = folder
        backlog(bootstrap, TOPIC, events(size.events, size.users))

    def timers(self) -> float:
        return timers_an_event(self._rules(OF_FLOOR), events(self._size.events, self._size.users))

    def floor(self, timers: float, *options: str) -> float:
        name = f"floor{''.join(options)}"
        return self._measure(FLOOR, name, 1, EVALUATE, self._size.events, "--timers", str(timers), *options)

    def job(self, rules: int) -> float:
        return self._measure(JOB, f"job{rules}", rules, EVALUATE, self._size.events)

    def peer(self, queries: int, count: int, *options: str) -> float:
        """`count`: of the events."""
        queried = self._folder / f"queries{queries}.json"
        queried.write_bytes(msgspec.json.encode(rules_of(queries)))
        name = f"peer{queries}{''.join(options)}"
        return self._measure(PEER, name, 1, SOURCE, count, "--queries", str(queried), *options)

    def _rules(self, count: int) -> Path:
        return write_rules(self._folder / f"rules{count}", map(yaml_of, rules_of(count)))

    def _measure(self, module: str, name: str, rules: int, vertex: Vertex, count: int, *options: str) -> float:
        settings = past(self._bootstrap, TOPIC, self._folder, name, self._rules(rules))
        with JobRun(module, settings, self._folder / "jobs.out", *options) as job:
            rate = job.steady(vertex, count // 4, count * 9 // 10)
        print(f"{name:>20}: {rate:>10,.0f} events/s", flush=True)
        return rate


@dataclass
class Measured:
    """Events a second, of peers by form and number of queries. `timers`: an event. `direct_floor`: reached as the job
    is, past PyFlink; None: not measured.
    """

    timers: float
    floor: float
    direct_floor: float | None
    job: dict[int, float]
    peers: dict[str, dict[int, float]]

    def peer(self, form: str, queries: int) -> float:
        rates = self.peers[form]
        return rates[queries] if queries in rates else drawn_out(rates, queries)


def drawn_out(rates: dict[int, float], queries: int) -> float:
    """The line through the time an event takes with the two largest numbers of queries, as a rate."""
    (low, fast), (high, slow) = sorted(rates.items())[-2:]
    a_query = (1 / slow - 1 / fast) / (high - low)
    return 1 / (1 / slow + a_query * (queries - high))


def run(size: Size, folder: Path) -> Measured:
    with kafka(folder) as bootstrap:
        bench = Bench(size, bootstrap, folder)
        timers = bench.timers()
        floor = bench.floor(timers)
        direct_floor = bench.floor(timers, "--directly") if size.direct_floor else None
        job = {count: bench.job(count) for count in size.rules}
        peers = {
            form: {queries: bench.peer(queries, count, *FORMS[form]) for queries, count in size.peers.items()}
            for form in size.forms
        }
        return Measured(timers, floor, direct_floor, job, peers)


def against_peer(rules: int, form: str) -> str:
    """The measure's name."""
    return f"job, {rules:,} rule{'' if rules == 1 else 's'} against {form}, events/s"


def against_floor(rules: int) -> str:
    return f"job, {rules:,} rules against its floor, events/s"


def results(measured: Measured) -> list[Result]:
    job = measured.job
    peers = [
        at_least(against_peer(n, form), job[n], measured.peer(form, n), goal)
        for form in FORMS
        for n, goal in GOALS_PEER.items()
    ]
    return peers + [at_least(against_floor(n), job[n], measured.floor, goal) for n, goal in GOALS_FLOOR.items()]


def table(size: Size, measured: Measured) -> str:
    head = (
        f"{size.events:,} events of {size.users:,} users from Kafka, state on the heap; {machine()}. "
        f"The floor, with {measured.timers:.2f} timers an event: {measured.floor:,.0f} events/s."
    )
    columns = ["rules", "events/s", "of the floor"]
    for form in size.forms:
        columns += [f"{form}, events/s", "against it"]
    if measured.direct_floor is not None:
        head += f" Reached past PyFlink, as the job is, the floor makes {measured.direct_floor:,.0f}."
    lines = [head, "", *grid(columns, [_row(measured, count) for count in measured.job])]
    for form, rates in measured.peers.items():
        most = max(rates)
        lines += ["", f"Measured of {form} last: {rates[most]:,.0f} events/s with {most} queries."]
    return "\n".join(lines)


def _row(measured: Measured, count: int) -> list[str]:
    rate = measured.job[count]
    cells = [f"{count:,}", f"{rate:,.0f}", f"{rate / measured.floor:.2f}"]
    for form, rates in measured.peers.items():
        peer = measured.peer(form, count)
        cells += [f"{peer:,.0f}{'' if count in rates else ' (drawn out)'}", f"{rate / peer:,.2f}x"]
    return cells


def main() -> None:
    given = arguments(__doc__)
    size = QUICK if given.quick else Size()
    with tempfile.TemporaryDirectory() as name:
        measured = run(size, Path(name))
    report("job.throughput", given, table(size, measured), lambda: results(measured))


if __name__ == "__main__":
    main()
