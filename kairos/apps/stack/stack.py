"""The local stack: Kafka, Redis, MariaDB, RabbitMQ, the heartbeat; by name the scheduler, Trino, Prometheus ..."""

from __future__ import annotations

from kairos.apps.native.group import Group
from kairos.apps.native.service import Service
from kairos.apps.stack.heartbeat import HeartbeatService
from kairos.apps.stack.kafka import KafkaService
from kairos.apps.stack.mariadb import MariaDbService
from kairos.apps.stack.monitoring import AlertmanagerService, PrometheusService
from kairos.apps.stack.rabbitmq import RabbitMqService
from kairos.apps.stack.redis import RedisService
from kairos.apps.stack.scheduler import SchedulerService
from kairos.apps.stack.settings import StackSettings
from kairos.apps.stack.trino import TrinoService

OF_KAIROS = (HeartbeatService.name, SchedulerService.name)
"""Those that run the code of a release."""


class Stack(Group):
    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        services: list[Service] = [
            KafkaService(settings),
            RedisService(settings),
            MariaDbService(settings),
            RabbitMqService(settings),
            HeartbeatService(settings),
        ]
        asked: list[Service] = [
            SchedulerService(settings),
            TrinoService(settings),
            PrometheusService(settings),
            AlertmanagerService(settings),
        ]
        super().__init__(settings.folder, services, on_demand=asked)
