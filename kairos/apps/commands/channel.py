"""`kairos channel`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.author import user_name
from kairos.apps.console import escape, fail

if TYPE_CHECKING:
    from kairos.adapters.delivery_controls import Control, Controls
    from kairos.apps.delivery.settings import Conf

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The channel, as the configuration names it.")]
ConfFile = Annotated[Path, typer.Option(help="The configuration, with a section `delivery`.")]
T = TypeVar("T")
LOCAL = Path("conf/local.yaml")


@app.callback()
def channel() -> None:
    """What workers of a channel heed while they run, within a second."""


@app.command("list")
def list_channels(conf: ConfFile = LOCAL) -> None:
    """Every channel: its provider, its workers, its rate, whether it is paused and why."""
    settings, controls = _open(conf)
    now = _now()
    known = {control.channel: control for control in _ask(controls.all)}
    workers = _ask(lambda: controls.workers(now))
    for name in dict.fromkeys([*settings.delivery.channels, *known, *workers]):
        provider = settings.delivery.channels.get(name, {}).get("provider", "not configured here")
        sys.stdout.write(f"{name:<12} {provider:<12} {_workers(workers.get(name, 0)):<12} {_state(known.get(name))}\n")


@app.command()
def rate(
    name: Name,
    limit: Annotated[str, typer.Argument(help="Calls a second over all workers of the channel, or `none`.")],
    conf: ConfFile = LOCAL,
) -> None:
    """Set how many calls a second go to the provider. What comes faster waits in Kafka.

    \b
    Examples:
      kairos channel rate sms 50
      kairos channel rate sms none
    """
    value = _rate(limit)
    controls = _known(name, conf)
    _ask(lambda: controls.limit(name, value, user_name(), _now()))
    sys.stdout.write(f"{name}: {_state(_ask(lambda: controls.read(name)))}\n")


@app.command()
def pause(
    name: Name,
    reason: Annotated[str | None, typer.Option(help="Shown to whoever asks why nothing goes.")] = None,
    conf: ConfFile = LOCAL,
) -> None:
    """Let nothing go out on a channel. Deliveries wait in Kafka, for as long as their `send_before` allows."""
    controls = _known(name, conf)
    _ask(lambda: controls.pause(name, reason, user_name(), _now()))
    sys.stdout.write(f"{name}: {_state(_ask(lambda: controls.read(name)))}\n")


@app.command()
def resume(name: Name, conf: ConfFile = LOCAL) -> None:
    """Go on, after `pause` or after a worker has stopped the channel because its configuration was wrong."""
    controls = _known(name, conf)
    _ask(lambda: controls.resume(name, user_name(), _now()))
    sys.stdout.write(f"{name}: {_state(_ask(lambda: controls.read(name)))}\n")


def _open(conf: Path) -> tuple[Conf, Controls]:
    from kairos.adapters.delivery_controls import Controls
    from kairos.adapters.delivery_database import DatabaseError, create_tables, open_engine
    from kairos.apps.delivery.settings import load

    try:
        settings = load(conf)
        engine = open_engine(settings.delivery.store)
        create_tables(engine)
    except (SettingsError, DatabaseError) as error:
        fail(escape(str(error)))
    return settings, Controls(engine)


def _known(name: str, conf: Path) -> Controls:
    settings, controls = _open(conf)
    try:
        settings.channel(name)
    except SettingsError as error:
        fail(escape(str(error)))
    return controls


def _ask(question: Callable[[], T]) -> T:
    from kairos.adapters.ledger import LedgerAwayError

    try:
        return question()
    except LedgerAwayError as error:
        fail(escape(str(error)))


def _state(control: Control | None) -> str:
    if control is None:
        return "no threshold"
    limit = "no threshold" if control.rate is None else f"{control.rate:g} a second"
    if not control.paused:
        return limit
    return f"{limit}, paused by {escape(control.changed_by)}: {escape(control.reason or 'no reason given')}"


def _workers(count: int) -> str:
    return "no worker" if not count else f"{count} worker{'s' if count > 1 else ''}"


def _rate(text: str) -> float | None:
    if text == "none":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1_000_000:
        raise typer.BadParameter(f"'{text}' is not a rate; expected a number above 0 such as 50, or `none`")
    return value


def _now() -> int:
    return time.time_ns() // 1_000_000
