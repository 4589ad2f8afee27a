"""`kairos profiles load`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.console import fail, progress_bar, say
from kairos.apps.event_input import read_profile_file

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def profiles() -> None:
    """What is known of users: time zone, addresses, crowds."""


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="JSON: user id -> fields, as `kairos simulate --profiles` takes it.")],
    url: Annotated[str | None, typer.Option("--redis", help="The Redis server; default: the local stack's.")] = None,
) -> None:
    """Write profiles into Redis, where a live job looks them up. Those of other users stay as they are.

    \b
    Examples:
      kairos profiles load .kairos/data/profiles.json
    """
    import redis

    from kairos.adapters.profile_writer import write_profiles
    from kairos.adapters.profiles import connect
    from kairos.apps.stack import load_settings

    address = url or load_settings().redis_url
    shown = re.sub(r"//[^@/]*@", "//", address)  # without the password
    table = read_profile_file(file)
    try:
        with progress_bar("written", len(table)) as bar:
            written = write_profiles(connect(address), table, bar)
    except (redis.RedisError, ValueError) as error:
        fail(f"no profiles can be written to {shown}: {error}")
    say(f"{written:,} profiles in {shown}")
