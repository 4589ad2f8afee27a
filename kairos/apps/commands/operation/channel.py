"""`kairos channel`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.delivery.controls import Control
from kairos.adapters.settings.delivery import load
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.usecases.operation import channels as usecase
from kairos.usecases.operation.limits import limit_of

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The channel, as the configuration names it.")]
ConfFile = Annotated[Path, typer.Option(help="The configuration, with a section `delivery`.")]
LOCAL = Path("conf/local.yaml")


@app.callback()
def channel() -> None:
    """What workers of a channel heed while they run, within a second.

    \b
    Examples:
      kairos channel list
      kairos channel rate sms 50
    """


@app.command("list")
def list_channels(conf: ConfFile = LOCAL) -> None:
    """Every channel: its provider, its workers, its rate, whether it is paused and why.

    \b
    Example:
      kairos channel list
    """
    with told():
        for each in usecase.channels(load(conf), now()):
            provider = each.provider or "not configured here"
            sys.stdout.write(f"{each.name:<12} {provider:<12} {_workers(each.workers):<12} {_state(each.control)}\n")


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
    with told():
        settings = load(conf)
        _show(name, usecase.set_rate(settings, name, limit_of(limit, "the rate"), acting(settings.rules.store), now()))


@app.command()
def pause(
    name: Name,
    reason: Annotated[str | None, typer.Option(help="Shown to whoever asks why nothing goes.")] = None,
    conf: ConfFile = LOCAL,
) -> None:
    """Let nothing go out on a channel. Deliveries wait in Kafka, for as long as their `send_before` allows.

    \b
    Example:
      kairos channel pause sms --reason "provider is down"
    """
    with told():
        settings = load(conf)
        _show(name, usecase.pause(settings, name, reason, acting(settings.rules.store), now()))


@app.command()
def resume(name: Name, conf: ConfFile = LOCAL) -> None:
    """Go on, after `pause` or after a worker has stopped the channel because its configuration was wrong.

    \b
    Example:
      kairos channel resume sms
    """
    with told():
        settings = load(conf)
        _show(name, usecase.resume(settings, name, acting(settings.rules.store), now()))


def _show(name: str, control: Control) -> None:
    sys.stdout.write(f"{name}: {_state(control)}\n")


def _state(control: Control | None) -> str:
    if control is None:
        return "no threshold"
    limit = "no threshold" if control.rate is None else f"{control.rate:g} a second"
    if not control.paused:
        return limit
    return f"{limit}, paused by {escape(control.changed_by)}: {escape(control.reason or 'no reason given')}"


def _workers(count: int) -> str:
    return "no worker" if not count else f"{count} worker{'s' if count > 1 else ''}"
