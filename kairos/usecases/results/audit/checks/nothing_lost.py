"""Nothing was deleted before it was read: neither what the job decides by, nor what a worker was to send."""

from __future__ import annotations

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import World


def check(_book: Book, world: World, result: Result) -> None:
    """What was deleted unread is known only as far as the job has told it, in a dead letter `lost`."""
    result.examined = {"losses told by the job": len(world.losses)}
    for loss in world.losses:
        result.add(loss.told)
