"""`kairos send-test`: a message to oneself, through the real provider of its channel.

No job decides it and no ledger knows it: it uses up no cap, budget or code, and no measure counts it. What leaves is
marked `test`, and a title or subject begins with TITLE.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kairos.adapters.channels.channel import Message, Outcome
from kairos.adapters.settings.delivery import Conf
from kairos.engine.channel import ADDRESS_FIELD
from kairos.engine.play.preview import Entry
from kairos.engine.rule.content.rendering import Content
from kairos.engine.rule.text.report import listed
from kairos.usecases.control.deeds import begin
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError
from kairos.usecases.rules.preview import Previewed

SOMEBODY = "send-test"
"""The user in whose name an address gets a test."""
TITLE = "[Test] "
OCCURRENCE = "test"
_TITLES = ("subject", "title")
_FORMS = (("email", re.compile(r"[^\s@]+@[^\s@]+")), ("phone", re.compile(r"\+?[0-9][0-9 ()/-]{4,}")))


class Receiver(msgspec.Struct, frozen=True):
    """`profile`: of a user that is known. `address`: of somebody who is no user, who gets what goes to such a field."""

    user_id: str
    profile: Mapping[str, Any] | None = None
    field: str = ""
    address: str = ""


class Tried(msgspec.Struct, frozen=True):
    """`outcome` None: the provider was not called; `why` says why."""

    activity: str
    channel: str
    address: str | None
    message: Message | None
    outcome: Outcome | None
    why: str = ""


def receiver_of(to: str, profile: Mapping[str, Any] | None, channel: str | None) -> Receiver:
    """`profile`: of the user of this name, if there is one. Raises AskError for what is neither user nor address."""
    if profile is not None:
        return Receiver(to, profile)
    field = ADDRESS_FIELD.get(channel) if channel is not None else None
    field = field or next((field for field, form in _FORMS if form.fullmatch(to)), None)
    if field is None:
        known = listed(name for name in ADDRESS_FIELD)
        raise AskError(f"nobody is known as {to}, and it looks like no address; --channel ({known}) says what it is")
    return Receiver(SOMEBODY, None, field, to)


def entries_for(found: Previewed, receiver: Receiver, channel: str | None) -> list[Entry]:
    """Of this user's variant, those that can go there. Raises AskError where none can."""
    own = [entry for entry in found.asked.entries if entry.own] if found.asked is not None else []
    entries = [
        entry
        for entry in own
        if channel in (None, entry.send.channel)
        and (not receiver.field or ADDRESS_FIELD.get(entry.send.channel) == receiver.field)
    ]
    if not entries:
        there = listed(dict.fromkeys(entry.send.channel for entry in own), "and")
        where = f"on {channel}" if channel else f"to {receiver.address}"
        raise AskError(f"{found.activity} sends nothing {where}: it sends on {there}")
    return entries


def send_all(
    conf: Conf, found: Previewed, entries: Sequence[Entry], receiver: Receiver, actor: Actor, now: int
) -> list[Tried]:
    """Each entry once, one after the other. `now`: epoch ms. The log says of what, not to whom.

    Before anything has gone it raises SettingsError for a channel without provider, NotAllowedError, RuleStoreError.
    """
    for entry in entries:
        conf.channel(entry.send.channel)
    begin(conf.rules.store, actor, "write", "send_test", f"message/{found.activity}", now)
    return [_send(conf, found, entry, receiver, now) for entry in entries]


def _send(conf: Conf, found: Previewed, entry: Entry, receiver: Receiver, now: int) -> Tried:
    channel = entry.send.channel
    address = receiver.address or entry.address
    told = (found.activity, channel, address)
    if isinstance(entry.content, str):
        return Tried(*told, None, None, entry.content)
    if entry.unreachable and not receiver.address:
        return Tried(*told, None, None, entry.unreachable)
    message = message_of(found, entry, entry.content, receiver, address, now)
    return Tried(*told, message, asyncio.run(_call(conf, channel, message)))


async def _call(conf: Conf, channel: str, message: Message) -> Outcome:
    provider = conf.provider(channel)
    try:
        return await provider.send(message)
    finally:
        await provider.close()


def message_of(
    found: Previewed, entry: Entry, content: Content, receiver: Receiver, address: str | None, now: int
) -> Message:
    """Each time a message of its own: a provider that knows keys takes none for a repetition."""
    words = "\0".join((found.activity, receiver.user_id, entry.send.channel, str(now)))
    headers = {name: TITLE + text if name in _TITLES else text for name, text in content.headers.items()}
    return Message(
        key=hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        activity=found.activity,
        user_id=receiver.user_id,
        occurrence=OCCURRENCE,
        attempt=1,
        channel=entry.send.channel,
        template=entry.send.template,
        address=address,
        headers=headers,
        text=content.text,
        values=dict(entry.values),
        html=content.html,
        service=True,
        test=True,
    )
