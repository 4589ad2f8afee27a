"""Flink programs.

Tasks know some functions and types of this package by their names, so all of it is imported with the first of its
modules, and what the tasks of a program need of `kairos` beyond what `operators` imports: `kairos.preloading` says why.
"""

from pkgutil import iter_modules

from kairos.preloading import import_each

PROGRAMS = frozenset({"backtest", "marketing"})
"""Each is run, so its functions go to tasks whole, and not by a name."""

import_each(f"{__name__}.{module.name}" for module in iter_modules(__path__) if module.name not in PROGRAMS)
import_each(["kairos.usecases.rules.backtest"])
