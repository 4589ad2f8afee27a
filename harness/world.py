"""What a test of delivery needs around it, as real processes: stand-ins of providers, workers, a ledger, an audit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec
import sqlalchemy as sql
from ruamel.yaml import YAML

from harness.job import PATIENCE_SECONDS, eventually
from kairos.adapters.delivery.tables import CALLS, LEDGER
from kairos.apps.stack import Stack


class Running:
    """A Python module as a process; what it says goes to a file."""

    def __init__(self, output: Path, arguments: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
        output.parent.mkdir(parents=True, exist_ok=True)
        self.output = output
        with output.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def until_said(self, text: str) -> Self:
        def heard() -> bool:
            assert self.process.poll() is None or text in self.said(), f"it has ended:\n{self.said()}"
            return text in self.said()

        eventually(heard, bool)
        return self

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()


class Providers:
    """`python -m kairos.apps.demo.providers`: they keep books of every message that they take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running = Running(folder / "said.txt", ["kairos.apps.demo.providers", "--folder", str(folder)])
        note = folder / "providers.json"
        eventually(note.exists, bool)
        opened = msgspec.json.decode(note.read_bytes())
        self.http: str = opened["http"]
        self.options: dict[str, dict[str, Any]] = opened["options"]

    def taken(self) -> list[dict[str, Any]]:
        """Whole lines of the books: every call that a provider has accepted, repeats included."""
        text = (self.folder / "taken.jsonl").read_bytes()
        return [msgspec.json.decode(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    def times_taken(self) -> Counter[str]:
        """Of each key."""
        return Counter(taken["key"] for taken in self.taken())

    def direct(self, provider: str, door: str, body: Any, method: str = "POST") -> None:
        """Tells one of them how to behave: `faults`, `refusals`, `report`."""
        request = urllib.request.Request(
            f"{self.http}/-/{provider}/{door}", msgspec.json.encode(body), {"content-type": "application/json"}
        )
        request.method = method
        urllib.request.urlopen(request, timeout=10).close()

    def close(self) -> None:
        self._running.kill()


class Ledger:
    """The rows as they are now."""

    def __init__(self, address: str) -> None:
        self._engine = sql.create_engine(address, pool_pre_ping=True)

    def rows(self) -> dict[str, dict[str, Any]]:
        """By key."""
        return {row["key"]: row for row in self._all(LEDGER)}

    def states(self) -> Counter[str]:
        return Counter(row["state"] for row in self.rows().values())

    def calls(self) -> Counter[str]:
        """How many were begun, of each key."""
        return Counter(row["key"] for row in self._all(CALLS))

    def _all(self, table: sql.Table) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(sql.select(table)).mappings()]

    def close(self) -> None:
        self._engine.dispose()


def new_database(stack: Stack, name: str) -> str:
    """A database of one's own on the stack's MariaDB; its address."""
    root = f"mysql+pymysql://root@{stack.settings.host}:{stack.settings.mariadb_port}"
    engine = sql.create_engine(root)
    with engine.connect() as connection:
        connection.execute(sql.text(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4"))
    engine.dispose()
    return f"{root}/{name}"


def write_conf(path: Path, conf: Mapping[str, Any]) -> Path:
    with path.open("w") as file:
        YAML(typ="safe").dump(dict(conf), file)
    return path


def deliver(conf: Path, channel: str, fail_at: str = "") -> Running:
    output = conf.parent / f"{channel}-{time.monotonic_ns()}.out"
    return Running(output, ["kairos", "deliver", channel, "--conf", str(conf)], {"KAIROS_FAIL_AT": fail_at})


def audit(conf: Path, *options: str) -> None:
    """Fails with what it found."""
    command = [sys.executable, "-m", "kairos", "audit", "--conf", str(conf), "--settled", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
