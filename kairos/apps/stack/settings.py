"""Where the local stack listens and keeps its data."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kairos.apps.native.settings import data_folder, load

DATABASE = "kairos"
"""Name of the database, and of its owner and the owner's password, RabbitMQ's too: they listen on loopback."""


class StackSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`folder`: data, logs and pid files of all services. `jars`: holds `kafka/*.jar`. `trino`: its program.
    `heartbeat_port`: where the heartbeat tells of itself; 0: nowhere.
    """

    host: str = "127.0.0.1"
    kafka_port: int = 19092
    kafka_controller_port: int = 19093
    redis_port: int = 16379
    mariadb_port: int = 13306
    rabbitmq_port: int = 15672
    trino_port: int = 18080
    prometheus_port: int = 19190
    alertmanager_port: int = 19193
    heartbeat_port: int = 19100
    scheduler_port: int = 19101
    folder: Path = msgspec.field(default_factory=lambda: data_folder() / "stack")
    jars: Path = msgspec.field(default_factory=lambda: data_folder() / "jars")
    trino: Path = msgspec.field(default_factory=lambda: data_folder() / "trino")

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return f"{self.host}:{self.kafka_port}"

    @property
    def redis_url(self) -> str:
        return f"redis://{self.host}:{self.redis_port}/0"

    @property
    def rabbitmq_url(self) -> str:
        return f"amqp://{DATABASE}:{DATABASE}@{self.host}:{self.rabbitmq_port}/"

    @property
    def trino_url(self) -> str:
        return f"http://{self.host}:{self.trino_port}"

    @property
    def mysql_url(self) -> str:
        """As SQLAlchemy takes it; of the database's owner."""
        return self._mysql_url(DATABASE)

    def mysql_url_of(self, role: str) -> str:
        """`role`: a key of `kairos.adapters.database.roles.ROLES`."""
        return self._mysql_url(self.mysql_user(role))

    @staticmethod
    def mysql_user(role: str) -> str:
        return f"{DATABASE}_{role}"

    def _mysql_url(self, user: str) -> str:
        return f"mysql+pymysql://{user}:{user}@{self.host}:{self.mariadb_port}/{DATABASE}"


def load_settings(path: Path = Path("conf/stack.yaml")) -> StackSettings:
    """The file, then KAIROS_STACK_<KEY> of the environment. Raises ServiceError."""
    return load(StackSettings, path, "KAIROS_STACK")
