"""Where the standalone cluster listens, and what it is made of."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kairos.apps.native.settings import data_folder, load


class ClusterSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`folder`: configuration, logs, pid files and state of the cluster. `jars`: the folder with `flink/*.jar`.
    `options`: Flink's own, as a file; a path relative to the working directory. `standby`: a second JobManager, which
    leads on with the jobs when the first dies; ZooKeeper tells who leads.
    """

    host: str = "127.0.0.1"
    rest_port: int = 18081
    rpc_port: int = 16123
    taskmanagers: int = 2
    standby: bool = False
    standby_port: int = 18082
    zookeeper_port: int = 12181
    folder: Path = msgspec.field(default_factory=lambda: data_folder() / "cluster")
    jars: Path = msgspec.field(default_factory=lambda: data_folder() / "jars")
    options: Path = Path("conf/flink/config.yaml")

    @property
    def rest_ports(self) -> list[int]:
        """Of each JobManager: whichever is asked, the leader answers."""
        return [self.rest_port, self.standby_port] if self.standby else [self.rest_port]

    @property
    def zookeeper(self) -> str:
        return f"{self.host}:{self.zookeeper_port}"

    def rest(self, port: int) -> str:
        return f"http://{self.host}:{port}"


def load_settings(path: Path = Path("conf/flink/cluster.yaml")) -> ClusterSettings:
    """The file, then KAIROS_CLUSTER_<KEY> of the environment. Raises ServiceError."""
    return load(ClusterSettings, path, "KAIROS_CLUSTER")
