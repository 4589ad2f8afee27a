"""Where the profiles of everyone are: an option of commands, or what the configuration of the job says."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.profiles.everyone import EveryoneInFile, EveryoneInRedis, open_everyone
from kairos.adapters.settings.file import SettingsError, full_store, read, substitute
from kairos.adapters.warehouse.known import who_did_something
from kairos.apps.inputs.installation import installed

Everyone = Annotated[
    str | None,
    typer.Option(
        "--profiles", envvar="KAIROS_PROFILES", help="Who is known: a JSON file, or redis://...; else as in --conf."
    ),
]
Conf = Annotated[Path, typer.Option(help="The configuration of the job.")]


def everyone(profiles: str | None, conf: Path) -> EveryoneInFile | EveryoneInRedis:
    """Raises SettingsError, PeopleAwayError."""
    if profiles is not None:
        redis = profiles.startswith(("redis://", "rediss://", "unix://"))
        return open_everyone(profiles if redis else None, None if redis else profiles)
    sections = substitute(read(conf, ()))
    section, warehouse = sections.get("profiles", {}), sections.get("warehouse", {}).get("folder")
    return open_everyone(
        section.get("redis"), section.get("file"), section.get("crowds"), partial(who_did_something, warehouse)
    )


def redis_of_profiles() -> str:
    """That of the installation, else that of the stack on this machine. Raises SettingsError."""
    conf = installed()
    if conf is None:
        from kairos.apps.stack import load_settings

        return load_settings().redis_url
    url = substitute(read(conf, ())).get("profiles", {}).get("redis")
    if url is None:
        raise SettingsError(f"{conf}: its profiles are not in Redis (profiles.redis); --redis names a server")
    return str(url)


def rules_of(conf: Path, overrides: Iterable[str] = ()) -> str:
    """The rule store of a configuration. Raises SettingsError."""
    return full_store(str(substitute(read(conf, overrides)).get("rules", {}).get("store", "rules")))
