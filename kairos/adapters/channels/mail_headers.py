"""Headers of mails that hold values of users: a text is shown as it is, whatever it looks like.

The email package takes `=?utf-8?q?...?=` in a text for an encoded word and decodes it, line breaks included, so a name
could write headers of its own. Here what looks like one is itself encoded, and is read as the text that it is.
"""

from __future__ import annotations

import re
from email.header import Header
from email.headerregistry import HeaderRegistry, UniqueUnstructuredHeader
from email.policy import SMTP, EmailPolicy, Policy
from typing import Any

import idna

_PLAIN = re.compile(r"[ -~]{0,900}")
_LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\]\\\x00-\x1f\x7f-\x9f]{1,64}|\"[ !#-\[\]-~]{1,62}\"")


class _Text(UniqueUnstructuredHeader):
    """A text that nothing is read into."""

    name: str

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["parse_tree"] = cls.value_parser("")
        kwds["decoded"] = value

    def fold(self, *, policy: Policy) -> str:
        text = str(self)
        plain = _PLAIN.fullmatch(text) is not None and "=?" not in text
        if plain and " " not in text:
            return f"{self.name}: {text}{policy.linesep}"  # such as a link, which no line end may part from its name
        header = Header(text, None if plain else "utf-8", header_name=self.name)
        return f"{self.name}: {header.encode(linesep=policy.linesep)}{policy.linesep}"


def policy(*, utf8: bool) -> EmailPolicy[Any]:
    """`utf8`: headers may hold any character, as SMTPUTF8 allows; a text is encoded all the same."""
    registry = HeaderRegistry()
    for name in ("subject", "list-unsubscribe"):
        registry.map_to_type(name, _Text)  # type: ignore[arg-type]  # the registry itself adds the base class
    return SMTP.clone(cte_type="7bit", utf8=utf8, header_factory=registry)


def mailbox(address: str) -> str:
    """The address with its domain in ASCII: `leser@xn--bcher-kva.example`. Raises ValueError where it is none."""
    local, at, domain = address.strip().rpartition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if not at or _LOCAL_PART.fullmatch(local) is None or "=?" in local or dots:
        raise ValueError("not an address")
    return f"{local}@{_ascii(domain)}"


def _ascii(domain: str) -> str:
    """By IDNA2008; a domain in ASCII may have names that only older rules know. Raises ValueError."""
    if not domain.isascii():
        return idna.encode(domain, uts46=True, std3_rules=True).decode()
    labels = domain.split(".")
    if not all(re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", label) for label in labels):
        raise ValueError("not a domain")
    return domain
