"""A mail server: STARTTLS or TLS from the first byte, login, and faults at the step where they happen in life."""

from __future__ import annotations

import asyncio
import logging
import ssl
import warnings
from email import message_from_bytes
from email.policy import default
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from kairos.apps.demo.providers.calls import SLOW_SECONDS
from kairos.apps.demo.providers.desk import FINE, Fault
from kairos.apps.demo.providers.world import USER, World

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of itself with each login

_REPLIES = {"limited": "451 4.7.1 slow down", "error": "451 4.3.0 internal error"}


class MailServer:
    """`open` listens twice on loopback: with STARTTLS, and with TLS from the first byte; gives both ports."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        world.certificate.configure_cert(self._tls)
        self._servers: list[asyncio.Server] = []
        self._expired: WeakSet[Session] = WeakSet()  # a client may try several mechanisms

    async def open(self, port: int = 0, tls_port: int = 0) -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        plain = await loop.create_server(lambda: self._protocol(starttls=True), "127.0.0.1", port)
        secure = await loop.create_server(lambda: self._protocol(starttls=False), "127.0.0.1", tls_port, ssl=self._tls)
        self._servers = [plain, secure]
        return plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1]

    async def close(self) -> None:
        for server in self._servers:
            server.close()

    def _protocol(self, starttls: bool) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it takes TLS from the first byte for no TLS at all
            return SMTP(
                _Postman(self._world),
                hostname="localhost",
                tls_context=self._tls if starttls else None,
                require_starttls=starttls,
                authenticator=self._login,
                auth_required=True,
                auth_require_tls=starttls,
                loop=asyncio.get_running_loop(),
            )

    def _login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        right = LoginPassword(USER.encode(), self._world.secrets["smtp_password"].encode())
        faults = self._world.desks["smtp"].faults
        if faults and faults[0].kind == "expired":
            faults.popleft()
            self._expired.add(session)
        return AuthResult(success=data == right and session not in self._expired, handled=False)


class _Postman:
    """The steps of one connection; a fault is drawn for each message, at its first recipient."""

    def __init__(self, world: World) -> None:
        self._world, self._desk = world, world.desks["smtp"]
        self._fault: Fault = FINE

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._fault = self._desk.next_fault()
        refusal = self._desk.refusal(self._fault, address)
        if self._fault.kind == "dropped":
            _transport(server).abort()
        if refusal is not None or self._fault.kind in _REPLIES:
            return refusal or _REPLIES[self._fault.kind]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=default)
        key = str(mail["message-id"] or "").strip("<>").partition("@")[0]
        said = {
            "subject": str(mail["subject"]),
            "from": str(mail["from"]),
            "type": mail.get_content_type(),
            "text": mail.get_content().replace("\r\n", "\n"),
        }
        taken = self._desk.take(key, envelope.rcpt_tos[0], said)
        if self._fault.kind == "slow":
            await asyncio.sleep(SLOW_SECONDS)  # ended when the client hangs up
        if self._fault.kind == "cut":
            _transport(server).abort()
        return "zwei-fuenf-null" if self._fault.kind == "garbled" else f"250 2.0.0 queued as {taken.provider_id}"


def _transport(server: SMTP) -> asyncio.Transport:
    transport = server.transport
    assert isinstance(transport, asyncio.Transport)
    return transport
