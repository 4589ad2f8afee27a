"""The standalone cluster: a JobManager, or two and ZooKeeper, and one-slot TaskManagers."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Collection, Sequence

from kairos.apps.cluster.home import Home
from kairos.apps.cluster.services import JobManager, TaskManager, ZooKeeper, ask
from kairos.apps.cluster.settings import ClusterSettings
from kairos.apps.native.group import POLL_SECONDS, READY_SECONDS, Group, Report
from kairos.apps.native.service import NotReady, Service
from kairos.apps.native.settings import ServiceError


class Cluster(Group):
    """Its TaskManagers are those of one of two `sides`: an upgrade starts the others, and stops these when their job
    has ended."""

    def __init__(self, settings: ClusterSettings) -> None:
        self.settings = settings
        self.home = Home(settings)
        services: list[Service] = [ZooKeeper(settings, self.home)] if settings.standby else []
        for name, port in zip(("jobmanager", "jobmanager-2"), settings.rest_ports, strict=False):
            services.append(JobManager(settings, self.home, name, port))
        names = [f"taskmanager-{number}" for number in range(1, settings.taskmanagers + 1)]
        self.sides = names, [f"{name}b" for name in names]
        services += [TaskManager(settings, self.home, name) for side in self.sides for name in side]
        super().__init__(settings.folder, services)

    def on_demand(self) -> Collection[str]:
        """The side that does not run."""
        first, second = self.sides
        return first if self.running(second) and not self.running(first) else second

    def dismiss(self, names: Sequence[str]) -> None:
        """Has TaskManagers end, and returns when no job can be given to them any more, which is before they are gone.
        Raises ServiceError."""
        for name in self.running(names):
            self._signal(name, signal.SIGTERM)
        limit = time.monotonic() + READY_SECONDS
        while known := self._known() & set(names):
            if time.monotonic() > limit:
                raise ServiceError(f"the JobManager still counts on {', '.join(sorted(known))}, which are to end")
            time.sleep(POLL_SECONDS)

    def _known(self) -> set[str]:
        """TaskManagers that the JobManager has jobs for. Raises ServiceError."""
        try:
            found = ask(self.settings, "/taskmanagers")["taskmanagers"]
        except NotReady as error:
            raise ServiceError(f"no cluster answers: {error}") from None
        return {each["id"] for each in found} if isinstance(found, list) else set()

    def from_nothing(self) -> None:
        self.home.make()

    def down(self, names: Sequence[str] = (), report: Report = lambda line: None) -> None:
        """JobManagers go first: one that sees its TaskManagers go begins the job anew with each, and calls somebody."""
        first = [name for name in self.names if name.startswith("jobmanager")]
        others = [name for name in self.names if name not in first]
        super().down(names or [*others, *first], report)
        if not names:
            # Unpacked environments, hundreds of megabytes each, which a TaskManager that was killed leaves.
            shutil.rmtree(self.home.temporary, ignore_errors=True)
