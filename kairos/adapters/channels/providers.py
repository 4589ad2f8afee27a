"""Which providers there are, and how one is opened: `open_channel("twilio", options, timeout=10_000)`.

A provider is a module with `Options`, a frozen struct, and `open_channel(options, surroundings)`; one that reports
later has `parse_callback(options, request)` as well. To add one: write the module, add its row. A module is imported
only when its provider is opened.
"""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from kairos.adapters.channels.callback import CallbackAnswer, CallbackRequest
from kairos.adapters.channels.channel import Channel, Message, Outcome, Unknown
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings, decode

__all__ = ["PROVIDERS", "ChannelSettingsError", "callback_parser", "open_channel"]

PROVIDERS = {
    "twilio": "kairos.adapters.channels.twilio",
    "aliyun_sms": "kairos.adapters.channels.aliyun_sms",
    "fcm": "kairos.adapters.channels.fcm",
    "wechat": "kairos.adapters.channels.wechat",
    "smtp": "kairos.adapters.channels.smtp",
    "webhook": "kairos.adapters.channels.webhook",
    "apprise": "kairos.adapters.channels.apprise",
    "console": "kairos.adapters.channels.console",
    "file": "kairos.adapters.channels.file",
}

log = logging.getLogger(__name__)


def wall_clock() -> int:
    """Epoch ms."""
    return time.time_ns() // 1_000_000


def open_channel(
    provider: str,
    options: Mapping[str, Any],
    *,
    timeout: int,
    now: Callable[[], int] = wall_clock,
    place: str = "delivery",
) -> Channel:
    """`options` as the configuration has them, without what the worker itself reads (`concurrency`, `attempts`, ...).

    `timeout`: ms of one call. `now`: epoch ms, for signatures and tokens. `place` stands before keys in messages
    ("delivery.channels.sms"). Connects to nothing yet, and needs no event loop. Raises ChannelSettingsError.
    """
    module = module_of(provider, place)
    around = Surroundings(timeout, now, place)
    return _Guarded(module.open_channel(decode(options, module.Options, place), around), provider)


def callback_parser(
    provider: str, options: Mapping[str, Any], *, place: str = "delivery"
) -> Callable[[CallbackRequest], CallbackAnswer] | None:
    """What reads this provider's callbacks, and raises CallbackRefusedError; None where it sends none.

    Raises ChannelSettingsError.
    """
    module = module_of(provider, place)
    if not hasattr(module, "parse_callback"):
        return None
    return partial(module.parse_callback, decode(options, module.Options, place))


def module_of(provider: str, place: str) -> Any:
    """Raises ChannelSettingsError where there is no such provider."""
    if provider not in PROVIDERS:
        near = difflib.get_close_matches(provider, PROVIDERS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(PROVIDERS)}"
        raise ChannelSettingsError(f"{place}.provider: no provider is called '{provider}'; {hint}")
    return import_module(PROVIDERS[provider])


class _Guarded:
    """A mistake in a provider's code is an unknown outcome of one message, not the end of the worker."""

    def __init__(self, channel: Channel, provider: str) -> None:
        self._channel, self._provider = channel, provider

    async def send(self, message: Message) -> Outcome:
        try:
            return await self._channel.send(message)
        except Exception as error:
            log.exception("provider %s failed on %s", self._provider, message.key)
            return Unknown(f"the code of provider {self._provider} failed: {type(error).__name__}")

    async def close(self) -> None:
        await self._channel.close()
