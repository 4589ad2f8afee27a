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

_LOGIN = frozenset({530, 534, 535, 538})
_NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_LOGIN_ENHANCED = frozenset({"5.7.0", "5.7.8", "5.7.9", "5.7.11", "5.7.14"})


def outcome_of_reply(error: SMTPResponseException, step: Step) -> Outcome:
    said = brief(error.message)
    reason = f"{error.code} {said}".strip()
    if not 400 <= error.code < 600:  # no refusal, and not what the protocol has at this step
        return Unknown(reason) if step == "data" else Retry(reason)
    found = _ENHANCED.match(said)
    enhanced = found[1] if found else ""
    if error.code in _LOGIN or (step != "rcpt" and enhanced in _LOGIN_ENHANCED):
        return Misconfigured(reason)
    if error.code < 500:
        return Retry(reason)
    if step in ("hello", "mail") and error.code != 552:
        return Misconfigured(reason)  # it refuses us, whatever the message
    if enhanced in _NO_MAILBOX or (step == "rcpt" and not enhanced and error.code in (550, 553)):
        return DeadAddress(reason)
    return Rejected(reason)
