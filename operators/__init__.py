"""PyFlink functions: they ferry between Flink and the engine.

In thread mode a TaskManager keeps one Python for all its jobs, one after the other, and each job's own files go when it
ends. A module that the first job did not import is then not to be had any more: `kairos` is there already, and its path
leads to files that are gone. So everything is imported at once, as long as it is there.

The tasks are threads of that one Python, so what structs look like is worked out here too, where no task runs.
"""

from importlib import import_module
from pkgutil import walk_packages

from kairos.structs import work_out_structs

OURS = ("kairos.engine", "kairos.adapters", "kairos.sandbox", __name__)


def _import_all() -> None:
    for package in OURS:
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if ".migrations." in module.name:  # scripts: they run only when Alembic calls them
                continue
            try:
                import_module(module.name)
            except ModuleNotFoundError as error:  # an extra that is not installed: no task can use its adapter
                if (error.name or "").partition(".")[0] in ("kairos", __name__):
                    raise


_import_all()
work_out_structs()
