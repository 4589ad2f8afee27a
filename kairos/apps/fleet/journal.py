"""How far an upgrade has come: a file, so that another start goes on where one died."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kairos.apps.native.settings import ServiceError


class Journal(msgspec.Struct, kw_only=True):
    """`release`: the folder whose code it is about. `job`: id of the one that is to be stopped; None: nobody has
    looked yet. `trigger`: under which it is asked for its savepoint. `submitted`: whether anybody has begun
    to submit its successor. `taskmanagers`: those of the successor. `of_stack`: processes of Kairos that `make up` has
    started; None: nobody has looked yet. `done`: steps, by name. `over`: all of them.
    """

    release: str
    job: str | None = None
    trigger: str | None = None
    savepoint: str | None = None
    submitted: bool = False
    taskmanagers: list[str] = []
    of_stack: list[str] | None = None
    done: list[str] = []
    over: bool = False


class JournalFile:
    """Written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "upgrade.json"

    def read(self) -> Journal | None:
        """Raises ServiceError."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Journal)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise ServiceError(f"{self._path} is no journal of an upgrade: {error}") from None

    def write(self, journal: Journal) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(journal))
        temporary.replace(self._path)


def begin(before: Journal | None, release: str, *, instead: bool) -> Journal:
    """A new upgrade, or what is left of one that died. Raises ServiceError where that was to another release.

    `instead`: then to this one, from wherever that has come to.
    """
    if before is None or before.over:
        return Journal(release=release)
    if before.release == release:
        return before
    if not instead:
        raise ServiceError(
            f"an upgrade to {before.release} is not over. Run `kairos upgrade` there to finish it, or `kairos upgrade "
            "--instead` here to have this release in its place"
        )
    return msgspec.structs.replace(before, release=release, done=[])
