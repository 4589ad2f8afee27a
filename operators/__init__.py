"""PyFlink functions: they ferry between Flink and the engine.

In thread mode a TaskManager keeps one Python for all its jobs, one after the other, and each job's own files go when it
ends. A module that the first job did not import is then not to be had any more: `kairos` is there already, and its path
leads to files that are gone. So everything is imported at once, as long as it is there.

The tasks are threads of that one Python. msgspec (0.22) works out what a Struct looks like when it is first decoded,
and a second thread that comes meanwhile finds half of it and ends the process. So that is done here too, where no task
runs.
"""

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages

import msgspec

OURS = ("kairos.engine", "kairos.adapters", "kairos.sandbox", __name__)


def _import_all() -> None:
    for package in OURS:
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if ".migrations." not in module.name:  # scripts: they run only when Alembic calls them
                import_module(module.name)


def _structs(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _structs(kind)


def _work_out_structs() -> None:
    for kind in _structs(msgspec.Struct):
        with suppress(TypeError, NameError):  # one that is never decoded: it holds what no format has
            msgspec.msgpack.Decoder(kind)


_import_all()
_work_out_structs()
