"""In thread mode a TaskManager keeps one Python for all its jobs, and each job's own files go when it ends or is begun
anew. A module that was not imported before is then not to be had any more: its package is there already, and that
package's path leads to files that are gone. So everything is imported at once, as long as it is there."""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import walk_packages

OURS = ("kairos", "operators", "jobs")


def import_all(package: str) -> None:
    """With all that is below it."""
    below = walk_packages(import_module(package).__path__, f"{package}.")
    import_each(module.name for module in below if ".migrations." not in module.name)  # Alembic runs these scripts


def import_each(modules: Iterable[str]) -> None:
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:  # an extra that is not installed: no task can use it
            if (error.name or "").partition(".")[0] in OURS:
                raise
