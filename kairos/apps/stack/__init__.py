"""The local stack: Kafka, Redis, MariaDB, RabbitMQ and the heartbeat as native processes on loopback."""

from kairos.apps.native.group import Status
from kairos.apps.native.settings import ServiceError
from kairos.apps.stack.settings import StackSettings, load_settings
from kairos.apps.stack.stack import Stack

__all__ = ["ServiceError", "Stack", "StackSettings", "Status", "load_settings"]
