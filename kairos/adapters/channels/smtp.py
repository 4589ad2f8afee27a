"""Email over SMTP with TLS. Message-ID is made of the key: servers and readers can tell a repeat by it.

Until the content is sent a broken connection means that nothing was taken; from then on nobody can say.
"""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Literal

import aiosmtplib
import msgspec

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Message,
    Misconfigured,
    Outcome,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.channels.http_call import brief
from kairos.adapters.channels.mail_headers import mailbox, policy
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings, is_loopback
from kairos.adapters.channels.secret import Secret
from kairos.adapters.channels.smtp_replies import Step, outcome_of_reply


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`tls`: from the first byte, or after STARTTLS; `none` for servers on this machine only. `ca_file`: certificates
    of the server's authority, PEM, beside the system's. `unsubscribe`: a page for List-Unsubscribe, the same for all,
    where `delivery.unsubscribe` gives no link of one's own."""

    host: str
    sender: str
    port: int | None = None
    tls: Literal["implicit", "starttls", "none"] = "starttls"
    user: str | None = None
    password: Secret | None = None
    ca_file: str | None = None
    unsubscribe: str | None = None


_PORTS = {"implicit": 465, "starttls": 587, "none": 25}
_IDLE_SECONDS = 30.0
"""After this a connection is not used again: servers hang up on idle ones."""


class _Call:
    """How far one message has come: `content` is true from the moment its content may be with the server."""

    content = False


class Smtp:
    def __init__(self, options: Options, around: Surroundings) -> None:
        place = around.place
        if options.tls == "none" and not is_loopback(options.host):
            raise ChannelSettingsError(f"{place}.tls: 'none' is for servers on this machine only")
        if (options.user is None) != (options.password is None):
            raise ChannelSettingsError(f"{place}: 'user' and 'password' belong together")
        self._options, self._now = options, around.now
        self._seconds = around.timeout / 1000
        self._sender = _address(options.sender, f"{place}.sender")
        self._tls = _context(options, f"{place}.ca_file")
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []

    async def send(self, message: Message) -> Outcome:
        if not message.address:
            return Rejected("no address")
        try:
            to = mailbox(message.address)
        except ValueError:
            return DeadAddress("not an address")
        try:
            mail = self._composed(message, to)
        except ValueError as error:
            return Rejected(f"no mail can be made of it: {brief(error)}")
        call = _Call()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._deliver(to, mail, call)
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            return Unknown("no answer in time after the content") if call.content else Retry("no answer in time")

    async def close(self) -> None:
        while self._idle:
            client, _ = self._idle.pop()
            client.close()

    async def _deliver(self, to: str, mail: bytes, call: _Call) -> Outcome:
        client = self._kept()
        outcome = await self._talk(client, to, mail, call) if client is not None else None
        if outcome is not None and not _hung_up(outcome):
            return outcome
        try:
            client = await self._connected()
        except aiosmtplib.SMTPTimeoutError:
            raise
        except aiosmtplib.SMTPResponseException as error:
            return outcome_of_reply(error, "hello")
        except (aiosmtplib.SMTPException, OSError) as error:
            if type(error) is aiosmtplib.SMTPException:  # no STARTTLS, no AUTH
                return Misconfigured(f"the server lacks what the options ask for: {brief(error)}")
            return Retry(f"no connection: {brief(error)}")
        return await self._talk(client, to, mail, call) or Retry("the connection was cut before the content")

    async def _talk(self, client: aiosmtplib.SMTP, to: str, mail: bytes, call: _Call) -> Outcome | None:
        """One message over this connection, which is kept for the next one where it still can be.

        None: it was cut before the content; another one may do better.
        """
        step: Step = "mail"
        fine = False
        utf8 = self._needs_utf8(to)
        try:
            if utf8 and not client.supports_extension("smtputf8"):
                fine = True
                return Rejected("the server takes only addresses in ASCII (it has no SMTPUTF8)")
            encoding = "utf-8" if utf8 else "ascii"
            await client.mail(self._sender.addr_spec, options=["SMTPUTF8"] if utf8 else [], encoding=encoding)
            step = "rcpt"
            await client.rcpt(to, encoding=encoding)
            step, call.content = "data", True
            _, said = await client.data(mail)
            fine = True
            return Accepted(brief(said, 190) or None)
        except aiosmtplib.SMTPResponseException as error:
            call.content = False  # whatever comes now, the message was refused
            fine = 400 <= error.code < 600 and await _reset(client)
            return outcome_of_reply(error, step)
        except aiosmtplib.SMTPTimeoutError:
            raise
        except (aiosmtplib.SMTPException, OSError) as error:
            return Unknown(f"the connection was cut: {brief(error)}") if call.content else None
        finally:
            if fine:
                self._idle.append((client, asyncio.get_running_loop().time()))
            else:
                client.close()

    def _needs_utf8(self, to: str) -> bool:
        return not (to.isascii() and self._sender.addr_spec.isascii())

    def _kept(self) -> aiosmtplib.SMTP | None:
        """The connection used last, if it is still good."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and now - since < _IDLE_SECONDS:
                return client
            client.close()
        return None

    async def _connected(self) -> aiosmtplib.SMTP:
        options = self._options
        client = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port or _PORTS[options.tls],
            use_tls=options.tls == "implicit",
            start_tls=options.tls == "starttls",
            tls_context=self._tls,
            username=options.user,
            password=options.password.reveal() if options.password else None,
            timeout=self._seconds,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client

    def _composed(self, message: Message, to: str) -> bytes:
        """Raises ValueError where a header does not fit into one line."""
        mail = EmailMessage(policy=policy(utf8=self._needs_utf8(to)))
        mail["From"] = self._sender
        mail["To"] = to
        mail["Subject"] = message.headers.get("subject", "")
        mail["Date"] = datetime.fromtimestamp(self._now() / 1000, UTC)
        mail["Message-ID"] = f"<{message.key}@{self._sender.domain}>"
        link = message.unsubscribe or self._options.unsubscribe
        if link and not message.service:
            mail["List-Unsubscribe"] = f"<{link}>"
        if (
            message.unsubscribe and not message.service
        ):  # only a link that says whose mail it was can be clicked on for somebody (RFC 8058)
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        # What the text looks like says nothing: a user may be called "<html>".
        mail.set_content(message.text, subtype="html" if message.html else "plain")
        return mail.as_bytes()


def _hung_up(outcome: Outcome) -> bool:
    """421: this connection has lived long enough, or carried enough."""
    return isinstance(outcome, Retry) and outcome.reason.startswith("421 ")


async def _reset(client: aiosmtplib.SMTP) -> bool:
    """Whether the connection can be used for another message."""
    try:
        await client.rset()
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


def _address(text: str, key: str) -> Address:
    """`Shop <hello@shop.example>` or the address alone."""
    name, spec = parseaddr(text)
    try:
        local, _, domain = mailbox(spec).rpartition("@")
        return Address(name, local, domain)
    except (ValueError, MessageError, IndexError):
        raise ChannelSettingsError(f"{key}: '{text}' is not an address; expected Name <user@host>") from None


def _context(options: Options, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if options.ca_file is not None:
            context.load_verify_locations(options.ca_file)
    except OSError as error:
        raise ChannelSettingsError(f"{key}: {options.ca_file}: {error.strerror or 'no certificates'}") from None
    return context


def open_channel(options: Options, around: Surroundings) -> Smtp:
    return Smtp(options, around)
