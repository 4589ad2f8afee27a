"""What all benchmarks have in common as commands: what they can be asked, and where their result goes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence

from benchmarks.kit.page import PAGE, note
from benchmarks.kit.results import Result, record


def arguments(description: str | None, only: Sequence[str] = (), **numbers: tuple[int, int]) -> argparse.Namespace:
    """`quick` and `write`, and each of `numbers`, which has two defaults: the full one, and that of a quick run.

    `only`: names of parts that can be run alone; none is asked for: all."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--quick", action="store_true", help="small: shows that it works")
    either.add_argument(
        "--write", action="store_true", help="keep the result: in docs/performance.md, and for the overview"
    )
    if only:
        parser.add_argument("--only", action="append", choices=only, metavar="NAME", help=", ".join(only))
    for name, (full, quick) in numbers.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"{full:,}; quick: {quick:,}")
    given = parser.parse_args()
    for name, defaults in numbers.items():
        if getattr(given, name) is None:
            setattr(given, name, defaults[given.quick])
    return given


def report(name: str, given: argparse.Namespace, text: str, results: Callable[[], Iterable[Result]] = tuple) -> None:
    """Prints the text, and with --write keeps it and the results. Those are made only then: quick runs lack figures."""
    print(text)
    if given.write:
        record(results())
        PAGE.write_text(note(PAGE.read_text(), f"benchmarks.{name}", text))
