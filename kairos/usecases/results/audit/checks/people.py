"""What people published, approved and turned is what the log says; nobody has changed a row by hand."""

from __future__ import annotations

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import World


def check(book: Book, world: World, result: Result) -> None:
    said = world.log
    for problem in said.problems if said is not None else ():
        result.add(problem)
    result.examined = {"entries": said.entries if said else 0, "rows": said.rows if said else 0}
