"""PyFlink functions: they ferry between Flink and the engine.

All that they may need is imported with the first of them: `kairos.preloading` says why.

The tasks are threads of one Python, so what structs look like is worked out here too, where no task runs.
"""

from kairos.preloading import import_all
from kairos.structs import work_out_structs

for package in ("kairos.engine", "kairos.adapters", "kairos.sandbox", __name__):
    import_all(package)
work_out_structs()
