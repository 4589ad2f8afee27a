"""Crowds kept by hand: a list of users becomes the next snapshot, under the same guards as what is computed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from kairos.adapters.warehouse.crowd_files import Build
from kairos.engine.crowd.guard import Waivers
from kairos.engine.crowd.spec import Members
from kairos.engine.event import MAX_ID
from kairos.usecases.control.deeds import write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.crowds.build import Building
from kairos.usecases.crowds.places import Places
from kairos.usecases.errors import AskError, InputError, reason_of
from kairos.usecases.progress import Progress, silent

USER = "user_id"


def import_crowd(
    places: Places, name: str, file: Path, actor: Actor, now: Callable[[], int], waivers: Waivers,
    progress: Progress = silent,
) -> Build:  # fmt: skip
    """Raises NotAllowedError, NotThereError, AskError, InputError, WarehouseError, CrowdStoreError and
    RuleStoreError."""
    need_by_hand(places, name)
    return import_users(places, name, users_in(file), actor, now, waivers, progress)


def import_users(
    places: Places, name: str, users: Sequence[str], actor: Actor, now: Callable[[], int], waivers: Waivers,
    progress: Progress = silent,
) -> Build:  # fmt: skip
    """The same of a list, each once. Raises as `import_crowd` does, but for InputError."""
    need_by_hand(places, name)
    write_people(places.log, actor, "import_crowd", f"crowd/{name}", now())
    with Building(places, now) as building:
        building.settle(name)
        members = building.spill / "imported.parquet"
        pyarrow.parquet.write_table(pyarrow.table({USER: pyarrow.array(users, pyarrow.string())}), members)
        return building.put(name, members, now(), waivers, stale=False, progress=progress)


def need_by_hand(places: Places, name: str) -> None:
    """Raises NotThereError and AskError."""
    crowd = places.kept(name)
    if not (isinstance(crowd, Members) and crowd.users is None):
        raise AskError(f"the crowd '{name}' is computed; only `members: kept` is imported")


def users_in(file: Path) -> list[str]:
    """Of a CSV with a column user_id, or of one user id a line; each once. Raises InputError."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("", str(file), reason_of(error)) from None
    return users_of(text, str(file))


def users_of(text: str, file: str) -> list[str]:
    """The same of what stands in it. Raises InputError."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError("", file, reason_of(error)) from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if USER in header:
        column, first = header.index(USER), 1
    elif len(header) <= 1:
        column, first = 0, 0
    else:
        raise InputError("", file, f"a column {USER} is expected; there are {', '.join(rows[0])[:100]}")
    users: dict[str, None] = {}
    for number, row in enumerate(rows[first:], first + 1):
        user = row[column].strip() if len(row) > column else ""
        if len(user.encode()) > MAX_ID:
            raise InputError("", file, f"a user id has at most {MAX_ID} bytes", f":{number}: ")
        if user:
            users[user] = None
    return list(users)
