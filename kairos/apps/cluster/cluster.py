"""The standalone cluster: a JobManager and one-slot TaskManagers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from kairos.apps.cluster.home import Home
from kairos.apps.cluster.services import JobManager, TaskManager
from kairos.apps.cluster.settings import ClusterSettings
from kairos.apps.native.group import Group, Report


class Cluster(Group):
    def __init__(self, settings: ClusterSettings) -> None:
        self.settings = settings
        self.home = Home(settings)
        workers = [TaskManager(settings, self.home, number) for number in range(1, settings.taskmanagers + 1)]
        super().__init__(settings.folder, [JobManager(settings, self.home), *workers])

    def down(self, names: Sequence[str] = (), report: Report = lambda line: None) -> None:
        super().down(names, report)
        if not names:
            # Unpacked environments, hundreds of megabytes each, which a TaskManager that was killed leaves.
            shutil.rmtree(self.home.temporary, ignore_errors=True)
