"""What takes longer than a request: it goes on by itself, and whoever looks sees how far it is and what it said."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kairos.errors import KairosError
from kairos.usecases.errors import AskError
from kairos.usecases.progress import Progress, Tell

log = logging.getLogger(__name__)


@dataclass
class Work:
    """`stage`: what is being done, `done` of `total` (None: not known before its end). `problem`: why it failed."""

    stage: str = ""
    done: int = 0
    total: int | None = None
    running: bool = True
    problem: str = ""

    @contextmanager
    def progress(self, stage: str, total: int | None) -> Iterator[Tell | None]:
        self.stage, self.done, self.total = stage, 0, total

        def tell(done: int) -> None:
            self.done = done

        yield tell


class Works:
    """One of a name at a time; the last one of a name stays to be looked at."""

    def __init__(self) -> None:
        self._of: dict[str, Work] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Work | None:
        return self._of.get(name)

    def start(self, name: str, does: Callable[[Progress], str]) -> None:
        """`does` gives what went wrong, empty: nothing. Raises AskError while another of this name runs."""
        with self._lock:
            known = self._of.get(name)
            if known is not None and known.running:
                raise AskError("this is being worked on: wait for its end, then ask again")
            work = self._of[name] = Work()
        threading.Thread(target=self._run, args=(name, work, does), daemon=True).start()

    @staticmethod
    def _run(name: str, work: Work, does: Callable[[Progress], str]) -> None:
        try:
            work.problem = does(work.progress)
        except KairosError as error:
            work.problem = str(error)
        except Exception:  # nobody outside is told what went wrong inside
            log.exception("%s", name)
            work.problem = "a mistake of ours; the log has it"
        finally:
            work.running = False
