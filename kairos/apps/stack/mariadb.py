"""MariaDB with one database, its owner, and a user for each process who may do no more than that has to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pymysql

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.errors import DatabaseError
from kairos.adapters.database.roles import ROLES, grants
from kairos.apps.native.programs import program
from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import ServiceError
from kairos.apps.stack.settings import DATABASE, StackSettings

INIT_SQL = f"""\
CREATE DATABASE IF NOT EXISTS `{DATABASE}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER IF NOT EXISTS '{DATABASE}'@'%' IDENTIFIED BY '{DATABASE}';
GRANT ALL ON `{DATABASE}`.* TO '{DATABASE}'@'%' WITH GRANT OPTION;
""" + "".join(
    f"CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{user}';\n" for user in map(StackSettings.mysql_user, ROLES)
)

_AS_ROOT = ["--user=root"] if os.geteuid() == 0 else []
"""The server refuses to run as root unless told so; in a container there may be no other user."""


class MariaDbService:
    name = "mariadb"

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self._granted = False
        self.address = f"mysql://{settings.host}:{settings.mariadb_port}/{DATABASE}"
        self.ports: Sequence[int] = (settings.mariadb_port,)
        self.folder: Path = settings.folder / self.name
        self._temporary = settings.folder / "mariadb-tmp"

    def prepare(self) -> None:
        """Makes the system tables, in a folder that gets its name only when they are complete."""
        (self._settings.folder / "mariadb-init.sql").write_text(INIT_SQL)
        self._temporary.mkdir(exist_ok=True)
        if self.folder.exists():
            return
        fresh = self.folder.with_name("mariadb.new")
        install = [
            program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={fresh}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-log-bin",
            *_AS_ROOT,
        ]
        shutil.rmtree(fresh, ignore_errors=True)
        done = subprocess.run(install, capture_output=True, text=True, env={**os.environ, **self.environment()})
        if done.returncode != 0:
            raise ServiceError(f"MariaDB's data folder {fresh} could not be made:\n{done.stdout}{done.stderr}")
        fresh.rename(self.folder)

    def command(self) -> list[str]:
        return [
            program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.folder}",
            *_AS_ROOT,
            f"--bind-address={self._settings.host}",
            f"--port={self._settings.mariadb_port}",
            # Relative to the data folder: the path of a socket has a limit of about 100 characters.
            "--socket=mariadb.sock",
            f"--init-file={self._settings.folder / 'mariadb-init.sql'}",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--performance-schema=OFF",
        ]

    def environment(self) -> dict[str, str]:
        """A server that starts deletes temporary tables of others where it keeps its own."""
        return {"TMPDIR": str(self._temporary)}

    def check(self) -> str:
        try:
            connection = pymysql.connect(
                host=self._settings.host,
                port=self._settings.mariadb_port,
                user=DATABASE,
                password=DATABASE,
                database=DATABASE,
                connect_timeout=2,
                read_timeout=2,
            )
        except pymysql.MySQLError as error:
            raise NotReady(str(error)) from None
        with connection:
            self._grant(connection)
            return f"MariaDB {connection.get_server_info().removeprefix('5.5.5-')}"

    def _grant(self, connection: pymysql.Connection) -> None:
        """Rights are on tables, so those are made first. Once is enough. Raises NotReady."""
        if self._granted:
            return
        engine = open_engine(self._settings.mysql_url)
        try:
            create_tables(engine)
            with connection.cursor() as cursor:
                for role in ROLES:
                    for statement in grants(role, DATABASE, StackSettings.mysql_user(role)):
                        cursor.execute(statement)
        except (DatabaseError, pymysql.MySQLError) as error:
            raise NotReady(str(error)) from None
        finally:
            engine.dispose()
        self._granted = True
