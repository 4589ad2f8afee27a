"""What every provider of a channel looks like to the delivery worker: one message in, one outcome out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec


class Message(msgspec.Struct, frozen=True):
    """One call to a provider, rendered and addressed.

    `key` is the delivery's idempotency key, 32 hex digits, the same in every call for it: a provider that takes a key
    gets it. `headers` are the template's head (`subject`, `title`, `link`, `template_id`: lower case, one line each),
    `text` its body. `values` are the template's variables as decided, by path ("order_id", "profile.name").
    `html`: the template is a page, and the values in `text` are escaped.
    `address` is null where the channel needs none. `unsubscribe`: the link by which this user
    leaves, where there is one. `service`: it is no mailing, and has no header by which one leaves it. `test`: somebody
    sends it to oneself; else the field is left out.
    """

    key: str
    activity: str
    user_id: str
    occurrence: str
    attempt: int
    channel: str
    template: str | None
    address: str | None
    headers: Mapping[str, str]
    text: str
    values: Mapping[str, Any]
    html: bool = False
    unsubscribe: str | None = None
    service: bool = False
    test: bool | msgspec.UnsetType = msgspec.UNSET


class Accepted(msgspec.Struct, frozen=True):
    """The provider has taken it. `delivered`: it has reached the user already, as far as this channel can tell.

    `provider_id`: the provider's own name for it, by which its receipts are matched; null where it has none.
    """

    provider_id: str | None = None
    delivered: bool = False


class Retry(msgspec.Struct, frozen=True):
    """Certainly not taken, may go well later. `after`: ms that the provider asked for (Retry-After), else null."""

    reason: str
    after: int | None = None


class Rejected(msgspec.Struct, frozen=True):
    """This message will never be taken; others may. The next channel stands in."""

    reason: str


class DeadAddress(msgspec.Struct, frozen=True):
    """This address will never take a message. `opted_out`: its owner asked for none on this channel, whatever the
    address; else the address itself does not exist any more."""

    reason: str
    opted_out: bool = False


class Refused(msgspec.Struct, frozen=True):
    """This address's own server refuses us, and nobody can tell whose fault that is: the address's, or ours.

    It is tried again; where several addresses say so and none takes a message in between, it is the channel's.
    """

    reason: str


class Misconfigured(msgspec.Struct, frozen=True):
    """Nothing goes until somebody mends the configuration: wrong credentials, unknown sender, balance used up.

    The channel pauses, and the message waits.
    """

    reason: str


class Unknown(msgspec.Struct, frozen=True):
    """Nobody can say whether it was taken: time-out, or the connection cut after the request had left."""

    reason: str


Outcome = Accepted | Retry | Rejected | DeadAddress | Refused | Misconfigured | Unknown


class Channel(Protocol):
    """One provider, opened by one worker; its calls run concurrently in one event loop.

    `send` never raises for anything that a provider or a network does. It ends within the time-out of its settings.
    """

    async def send(self, message: Message) -> Outcome: ...

    async def close(self) -> None: ...


class ProviderReceipt(msgspec.Struct, frozen=True):
    """What a provider's callback says of one message, found by `key` or else by `provider_id`.

    `status`: `sent`, `delivered`, `read`, `clicked` or `failed`. `opted_out`: as in `DeadAddress`; `dead`: the address
    that does not exist any more, in each way that a profile may write it.
    """

    status: str
    key: str | None = None
    provider_id: str | None = None
    reason: str | None = None
    dead: tuple[str, ...] = ()
    opted_out: bool = False
