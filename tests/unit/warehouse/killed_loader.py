"""A loader that dies at its nth call on the warehouse's files: `python killed_loader.py WAREHOUSE EVENTS N`.

Prints how many calls there were where it did not come to that. It ends as a kill ends it: nothing is tidied up.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from kairos.engine.rule.model import RuleSet
from kairos.usecases.warehouse.load import Inputs, Lines, load

CALLS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def main(warehouse: str, events: str, last: str) -> None:
    seen = 0

    def count(call: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if call in CALLS and str(arguments[0]).startswith(warehouse):
            seen += 1
            if seen == int(last):
                os._exit(9)

    sys.addaudithook(count)
    with open(events, "rb") as stream:
        load(Path(warehouse), RuleSet(), Inputs(events=[Lines(events, stream)]), lambda *_: None)
    sys.stdout.write(str(seen))


main(*sys.argv[1:])
