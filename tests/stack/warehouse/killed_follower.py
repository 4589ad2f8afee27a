"""A loader that follows Kafka and dies at its nth call on the warehouse's files: `python killed_follower.py CONF N`.

It ends as a kill ends it: nothing is tidied up, nothing is committed. Else it loads what is there, and prints how many
calls it took.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from kairos.adapters.settings.warehouse import load
from kairos.apps.warehouse.follow import run

CALLS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def main(conf: str, last: str) -> None:
    settings = load(Path(conf))
    assert settings is not None
    folder, seen = settings.folder, 0

    def count(call: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if call in CALLS and str(arguments[0]).startswith(folder):
            seen += 1
            if seen == int(last):
                os._exit(9)

    sys.addaudithook(count)
    run(Path(conf), (), None, lambda _done: None, lambda *_: None, until_now=True)
    sys.stdout.write(str(seen))


main(*sys.argv[1:])
