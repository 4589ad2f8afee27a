"""Redis with an append-only file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from redis import Redis, RedisError

from kairos.apps.native.programs import program
from kairos.apps.native.service import NotReady
from kairos.apps.stack.settings import StackSettings


class RedisService:
    name = "redis"

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self.address = settings.redis_url
        self.ports: Sequence[int] = (settings.redis_port,)
        self.folder: Path = settings.folder / self.name

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        options = {
            "bind": self._settings.host,
            "port": self._settings.redis_port,
            "dir": self.folder,
            "appendonly": "yes",
            "save": "",
        }
        return [program("redis-server"), *(text for key, value in options.items() for text in (f"--{key}", str(value)))]

    def environment(self) -> dict[str, str]:
        return {}

    def check(self) -> str:
        client = Redis.from_url(self.address, socket_timeout=2, socket_connect_timeout=2)
        try:
            client.ping()
            return ""
        except RedisError as error:
            raise NotReady(str(error)) from None
        finally:
            client.close()
