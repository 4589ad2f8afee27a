"""`kairos profiles load`: what is known of users, written into Redis, where a live job looks it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import redis

from kairos.adapters.profiles.file import ProfileFileError
from kairos.adapters.profiles.redis import connect, without_password
from kairos.adapters.profiles.table import read_table
from kairos.adapters.profiles.writer import write_profiles
from kairos.engine.rule.load import load
from kairos.errors import KairosError
from kairos.usecases.control.deeds import write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import InputError, InvalidRulesError, reason_of
from kairos.usecases.progress import Progress, silent

DECLARED = "profile.yaml"

Report = Callable[[str, str], None]
"""Hears of each row or column that is left out: its line or place in the file, and why."""


class Loaded(msgspec.Struct, frozen=True):
    """`redis`: where, without the password. `reported`: rows and columns that were left out, wholly or in part."""

    redis: str
    written: int
    reported: int


def load_profiles(
    file: Path, address: str, rules: Path, report: Report, progress: Progress = silent, *, actor: Actor, now: int,
    log: str | None,
) -> Loaded:  # fmt: skip
    """Replaces the profiles of the users in the file; those of others stay. `rules`: the folder whose profile.yaml has
    the types; where there is none, any field is taken as it is. `log`: the rule store in whose log stands that `actor`
    has loaded them, at `now` (epoch ms).

    Raises NotAllowedError, InvalidRulesError, InputError, and KairosError where Redis takes nothing.
    """
    shown, reported = without_password(address), 0

    def heard(place: str, problem: str) -> None:
        nonlocal reported
        reported += 1
        report(place, problem)

    types = _declared(rules)
    write_people(log, actor, "load_profiles", f"profiles/{file.name}"[:190], now)
    try:
        with progress("written", None) as tell:
            written = write_profiles(connect(address), _rows(file, types, heard), tell)
    except (redis.RedisError, ValueError) as error:
        raise KairosError(f"no profiles can be written to {shown}: {error}") from None
    return Loaded(shown, written, reported)


def _rows(file: Path, types: dict[str, str] | None, report: Report) -> Iterator[tuple[str, Any]]:
    try:
        yield from read_table(file, types, report)
    except ImportError:
        reason = "to read Parquet, install the extra: pip install 'kairos[parquet]'"
        raise InputError("the profiles", str(file), reason) from None
    except (OSError, ProfileFileError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise InputError("the profiles", str(file), reason) from None


def _declared(rules: Path) -> dict[str, str] | None:
    """Field -> type."""
    file = rules / DECLARED
    if not file.is_file():
        return None
    loaded = load({DECLARED: file.read_bytes()})
    if loaded.rules is None:
        raise InvalidRulesError(str(rules), loaded.findings)
    return loaded.rules.profile
