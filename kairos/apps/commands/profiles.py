"""`kairos profiles load`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from kairos.apps.console import escape, fail, progress_bar, quote, reason_of, say

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

DECLARED = "profile.yaml"


@app.callback()
def profiles() -> None:
    """What is known of users: time zone, addresses, crowds."""


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help=".csv or .parquet with a column user_id; .json: user id -> fields.")],
    url: Annotated[str | None, typer.Option("--redis", help="The Redis server; default: the local stack's.")] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder whose profile.yaml has the types.")] = Path("rules"),
) -> None:
    """Write profiles into Redis, where a live job looks them up. Those of other users stay as they are.

    A user's profile is replaced as a whole, but for opt-outs and dead addresses of which the file says nothing. A row
    that is wrong is reported with its line and left out; exit 1 then.

    \b
    Examples:
      kairos profiles load .kairos/data/profiles.json
      kairos profiles load customers.csv --redis rediss://:$PASSWORD@redis.example.com:6380/0
    """
    import redis

    from kairos.adapters.profile_writer import write_profiles
    from kairos.adapters.profiles import connect, without_password
    from kairos.apps.stack import load_settings

    address = url or load_settings().redis_url
    shown = without_password(address)
    table = _Table(file, rules)
    try:
        with progress_bar("written") as bar:
            written = write_profiles(connect(address), table.rows(), bar)
    except (redis.RedisError, ValueError) as error:
        fail(f"no profiles can be written to {shown}: {error}")
    left = f", {table.reported:,} remarks" if table.reported else ""
    say(f"{written:,} profiles in {shown}{left}")
    if table.reported:
        raise typer.Exit(1)


class _Table:
    """The file's rows; what is wrong with them is counted, and told as `FILE:LINE: reason`."""

    def __init__(self, file: Path, rules: Path) -> None:
        self._file = file
        self._name = escape(str(file))
        self._types = _declared(rules / DECLARED)
        self.reported = 0

    def rows(self) -> Iterator[tuple[str, Any]]:
        from kairos.adapters.profile_file import ProfileFileError
        from kairos.adapters.profile_table import read_table

        try:
            yield from read_table(self._file, self._types, self._report)
        except (OSError, ProfileFileError, ImportError) as error:
            fail(f"the profiles {self._name}: {_reason(error)}")

    def _report(self, place: str, problem: str) -> None:
        self.reported += 1
        sys.stderr.write(f"{self._name}:{escape(place)}: {quote(problem)}\n")


def _reason(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "to read Parquet, install the extra: pip install 'kairos[parquet]'"
    return reason_of(error) if isinstance(error, OSError) else quote(str(error))


def _declared(file: Path) -> dict[str, str] | None:
    """Field -> type; None: there is no such file, and every field is taken as it is."""
    from kairos.apps.rule_folder import show_findings
    from kairos.engine.rule.load import load as load_rules

    if not file.is_file():
        return None
    loaded = load_rules({DECLARED: file.read_bytes()})
    if loaded.rules is None:
        show_findings(file.parent, loaded.findings, sys.stderr)
        raise typer.Exit(2)
    return loaded.rules.profile
