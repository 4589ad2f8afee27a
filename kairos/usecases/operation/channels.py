"""`kairos channel`: what the workers of each channel heed while they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.delivery.controls import Control, Controls
from kairos.adapters.settings.delivery import Conf
from kairos.usecases.control.deeds import note
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError, NotThereError

LEAST_RATE, MOST_RATE = 0, 1_000_000
"""Between them lies the rate of a channel."""


class ChannelState(msgspec.Struct, frozen=True):
    """`provider` None: the configuration does not have this channel. `control` None: nothing was ever set for it."""

    name: str
    provider: str | None
    workers: int
    control: Control | None


def channels(conf: Conf, now: int) -> list[ChannelState]:
    """Those of the configuration, then others that somebody has set, or that workers serve. `now` in epoch ms.

    Raises DatabaseError and DatabaseAwayError.
    """
    with _controls(conf) as controls:
        known = {control.channel: control for control in controls.all()}
        workers = controls.workers(now)
    configured = conf.delivery.channels
    return [
        ChannelState(name, configured.get(name, {}).get("provider"), workers.get(name, 0), known.get(name))
        for name in dict.fromkeys([*configured, *known, *workers])
    ]


def channel(conf: Conf, name: str, now: int) -> ChannelState:
    """One of them. Raises NotThereError, DatabaseError and DatabaseAwayError."""
    every = {each.name: each for each in channels(conf, now)}
    if name not in every:
        raise NotThereError(f"there is no channel '{name}'; there are {', '.join(every) or 'none'}")
    return every[name]


def set_rate(conf: Conf, channel: str, rate: float | None, actor: Actor, now: int) -> Control:
    """Calls a second over all workers of the channel; None: as fast as they come.

    This and the following give what holds from now on, and are entries of the rule store's log. They raise AskError,
    SettingsError (there is no such channel), DatabaseError, DatabaseAwayError, NotAllowedError and RuleStoreError.
    """
    if rate is not None and not LEAST_RATE < rate < MOST_RATE:
        raise AskError(f"{rate:g} is not a rate: expected a number above {LEAST_RATE} and below {MOST_RATE:,}")
    return _changed(conf, channel, actor, now, "limit_channel", lambda c: c.limit(channel, rate, actor.name, now))


def pause(conf: Conf, channel: str, reason: str | None, actor: Actor, now: int) -> Control:
    """Nothing goes out any more; deliveries wait in Kafka, for as long as their `send_before` allows."""
    return _changed(conf, channel, actor, now, "pause_channel", lambda c: c.pause(channel, reason, actor.name, now))


def resume(conf: Conf, channel: str, actor: Actor, now: int) -> Control:
    """Lets a channel send again, after `pause` or after a worker has stopped it for its configuration."""
    return _changed(conf, channel, actor, now, "resume_channel", lambda c: c.resume(channel, actor.name, now))


def _changed(
    conf: Conf, channel: str, actor: Actor, now: int, action: str, change: Callable[[Controls], None]
) -> Control:
    """What is paused is paused, even where it cannot be written down."""
    actor.need("limit")
    conf.channel(channel)
    with _controls(conf) as controls:
        change(controls)
        after = controls.read(channel)
    note(conf.rules.store, actor, action, f"channel/{channel}", now, msgspec.structs.asdict(after))
    return after


@contextmanager
def _controls(conf: Conf) -> Iterator[Controls]:
    engine = open_engine(conf.delivery.store)
    try:
        create_tables(engine)
        yield Controls(engine)
    finally:
        engine.dispose()
