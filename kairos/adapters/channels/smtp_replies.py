"""What a refusal of an SMTP server means, by reply code, enhanced status code (RFC 3463) and the step it came at."""

from __future__ import annotations

import re
from typing import Literal

from aiosmtplib import SMTPResponseException

from kairos.adapters.channels.channel import DeadAddress, Misconfigured, Outcome, Rejected, Retry, Unknown
from kairos.adapters.channels.http_call import brief

Step = Literal["hello", "mail", "rcpt", "data"]
"""`hello` is all before the sender is named: greeting, STARTTLS, login."""

_ENHANCED = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")

_WHO = r"(?:e-?mail |mail )?(?:user|mailbox|recipient|address|account|alias|person|member)(?: name)?"
_NOT_THERE = r"unknown|not known|invalid|not (?:be )?found|does(?: not|n't) exist|not exist|no longer (?:exists|valid)"
_MAILBOX = re.compile(
    rf"no such {_WHO}"
    rf"|(?:unknown|invalid|non-?existent|bad) (?:local )?{_WHO}"
    rf"|no {_WHO} (?:here|by that name|found)"
    rf"|{_WHO}\b[^.;]{{0,80}}?\b(?:{_NOT_THERE})",
    re.IGNORECASE,
)
_ABOUT_US = re.compile(
    r"sender|from address|return path|your (?:server|host|ip|network)|reverse dns|\bptr\b|helo|ehlo|client host"
    r"|black ?-?list|block ?-?list|blacklisted|\bblocked\b|\bbanned\b|listed (?:at|by|in|on)|\b(?:dns)?[rb]bl\b"
    r"|\bspam|reputation|policy|\bspf\b|\bdkim\b|dmarc|authenticat|not (?:allowed|permitted)|denied|relaying|to relay"
    r"|\brate\b|too many|limit|quota|\bfull\b|temporar|try again",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"<[^>]*>|\S+@\S+")

_LOGIN = frozenset({530, 534, 535, 538})
_NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
_LOGIN_ENHANCED = frozenset({"5.7.0", "5.7.8", "5.7.9", "5.7.11", "5.7.14"})


def outcome_of_reply(error: SMTPResponseException, step: Step) -> Outcome:
    said = brief(error.message)
    reason = f"{error.code} {said}".strip()
    if not 400 <= error.code < 600:  # no refusal, and not what the protocol has at this step
        return Unknown(reason) if step == "data" else Retry(reason)
    found = _ENHANCED.match(said)
    enhanced = found[1] if found else ""
    if error.code in _LOGIN or (step in ("hello", "mail") and enhanced in _LOGIN_ENHANCED):
        return Misconfigured(reason)
    if error.code < 500:
        return Retry(reason)
    if step in ("hello", "mail") and error.code != 552:
        return Misconfigured(reason)  # it refuses us, whatever the message
    if enhanced in _NO_MAILBOX or (step == "rcpt" and not enhanced and _says_no_mailbox(error.code, said)):
        return DeadAddress(reason)
    return Rejected(reason)


def _says_no_mailbox(code: int, said: str) -> bool:
    """Without an enhanced code a server says in words whether it means the mailbox, or us: our address, our rate, its
    policy. A mark on an address is for good, so what is not said plainly is not taken for it."""
    words = _ADDRESS.sub("", said)
    return code in (550, 551, 553) and _MAILBOX.search(words) is not None and _ABOUT_US.search(words) is None
