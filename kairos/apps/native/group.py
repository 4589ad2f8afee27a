"""Services that belong together: started, checked and stopped, together or one by one."""

from __future__ import annotations

import fcntl
import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from kairos.apps.native.process import Process, port_holder
from kairos.apps.native.service import NotReady, Service
from kairos.apps.native.settings import ServiceError

READY_SECONDS = 90.0
POLL_SECONDS = 0.1

Report = Callable[[str], None]


@dataclass(frozen=True)
class Status:
    """`state`: up (answers), failing (runs, does not answer), down. `memory` in bytes."""

    name: str
    state: str
    address: str
    pid: int | None
    memory: int | None
    detail: str


class Group:
    """Every method may be called in any state and by several processes at once; all raise ServiceError.

    `folder` holds pid files and logs. Services are started in their order and stopped in reverse.
    """

    def __init__(self, folder: Path, services: Sequence[Service], on_demand: Sequence[Service] = ()) -> None:
        self.folder = folder
        self._services = {service.name: service for service in [*services, *on_demand]}
        self._on_demand = frozenset(service.name for service in on_demand)

    @property
    def names(self) -> list[str]:
        return list(self._services)

    def on_demand(self) -> Collection[str]:
        """Those that are started only by their names. What was, and died, is wanted until `down`."""
        return frozenset(name for name in self._on_demand if not self._process(name).wanted())

    def running(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._process(name).running()]

    def up(self, names: Sequence[str] = (), report: Report = lambda line: None) -> None:
        """Starts what does not run (no names: all but those on demand) and returns when each answers its protocol."""
        on_demand = self.on_demand()
        wanted = [self._service(name) for name in names or self.names if names or name not in on_demand]
        with self._lock():
            if not self.running(self.names):
                self.from_nothing()
            for service in wanted:
                self._launch(service, report)
            for service in wanted:
                self._await(service, report)

    def from_nothing(self) -> None:
        """Makes what they share, before the first of them is started. Raises ServiceError."""

    def down(self, names: Sequence[str] = (), report: Report = lambda line: None) -> None:
        """Stops in reverse order and waits until each is gone; data stays."""
        with self._lock():
            for name in reversed(list(names) or self.names):
                if self._process(name).stop():
                    report(f"{name}: stopped")

    def kill(self, name: str) -> None:
        """Ends it as a crash would."""
        self._process(name).stop(signal.SIGKILL, forget=False)

    def freeze(self, name: str) -> None:
        """It keeps its connections and answers nothing, until `thaw`."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def status(self) -> list[Status]:
        """Those on demand only while they run, or have died."""
        on_demand = self.on_demand()
        rows = [self._status(service) for service in self._services.values()]
        return [row for row in rows if row.state != "down" or row.name not in on_demand]

    def _service(self, name: str) -> Service:
        if name not in self._services:
            raise ServiceError(f"no service '{name}'; there are {', '.join(self._services)}")
        return self._services[name]

    def _process(self, name: str) -> Process:
        return Process(self._service(name).name, self.folder)

    def _signal(self, name: str, number: int) -> None:
        running = self._process(name).running()
        if running is None:
            raise ServiceError(f"{name} is not running")
        running.send_signal(number)

    def _launch(self, service: Service, report: Report) -> None:
        process = self._process(service.name)
        if process.running():
            return
        for port in service.ports:
            holder = port_holder(port)
            if holder:
                raise ServiceError(
                    f"{service.name} cannot start: port {port} is held by {holder}. Stop that, or choose another port "
                    "in the configuration"
                )
        report(f"{service.name}: starting")
        service.prepare()
        process.start(service.command(), service.environment(), service.folder)

    def _await(self, service: Service, report: Report) -> None:
        process = self._process(service.name)
        limit = time.monotonic() + READY_SECONDS
        while True:
            alive = process.running()
            try:
                detail = service.check() if alive else ""
            except NotReady as error:
                if time.monotonic() > limit:
                    why = f"no answer at {service.address} for {READY_SECONDS:.0f} s: {error}"
                    raise _failed(service, process, why) from None
                time.sleep(POLL_SECONDS)
                continue
            if not alive:
                raise _failed(service, process, "it ended at once")
            report(f"{service.name}: up at {service.address}" + (f" ({detail})" if detail else ""))
            return

    def _status(self, service: Service) -> Status:
        running = self._process(service.name).running()
        if running is None:
            return Status(service.name, "down", service.address, None, None, "")
        try:
            state, detail = "up", service.check()
        except NotReady as error:
            state, detail = "failing", str(error)
        try:
            memory = running.memory_info().rss
        except psutil.NoSuchProcess:
            return Status(service.name, "down", service.address, None, None, "")
        return Status(service.name, state, service.address, running.pid, memory, detail)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _failed(service: Service, process: Process, why: str) -> ServiceError:
    log = f"End of its log {process.log}:\n{process.log_tail()}"
    return ServiceError(f"{service.name} did not start: {why}. {log}")
