"""The local stack: Kafka, Redis, MariaDB and the heartbeat as native processes on loopback."""

from kairos.apps.stack.settings import StackError, StackSettings, load_settings
from kairos.apps.stack.stack import Stack, Status

__all__ = ["Stack", "StackError", "StackSettings", "Status", "load_settings"]
