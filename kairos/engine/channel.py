"""The channels. One more is an entry of CHANNELS: rules, profiles, topics and reference read everything there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Channel(NamedTuple):
    """`address`: the field of the profile that says where a user is reached; None: the user's id is enough.

    `headers`: what the head of a template may say, and what it means; None: anything, and it is shown as it is.
    `parameters`: a provider may have the text, and ours is its parameters, a line `name: value` each.
    `wakes`: a message makes itself heard, so that quiet hours hold for it. `called`: other words for it.
    """

    address: str | None = None
    headers: Mapping[str, str] | None = None
    parameters: bool = False
    wakes: bool = True
    called: str = ""


_LINKED = {
    "title": "What stands above the text.",
    "link": "What a tap or click opens.",
    "image": "The address of a picture.",
}

CHANNELS: Mapping[str, Channel] = {
    "sms": Channel(
        address="phone",
        headers={
            "template_code": "The provider's own template, where it sends no other text; the body gives its data."
        },
        parameters=True,
        called="text",
    ),
    "push": Channel(address="push_token", headers=_LINKED, called="app notification"),
    "wechat": Channel(
        address="wechat_openid",
        headers={
            "template_id": "The template that the official account has been granted; the body gives its data.",
            "link": "What a tap opens.",
            "mini_program_appid": "The mini-program that a tap opens, in place of the link.",
            "mini_program_path": "The page inside the mini-program.",
        },
        parameters=True,
        called="weixin",
    ),
    "email": Channel(address="email", headers={"subject": "The subject line."}, called="mail e-mail"),
    "webhook": Channel(headers=_LINKED, wakes=False, called="http slack"),
    "in_app": Channel(headers=_LINKED, called="inapp app"),
    "console": Channel(wakes=False),
    "file": Channel(wakes=False),
}

ADDRESS_FIELD = {name: channel.address for name, channel in CHANNELS.items() if channel.address is not None}
ADDRESSES = frozenset(ADDRESS_FIELD.values())
"""Fields of a profile that say where somebody is reached."""
WAKES_NOBODY = frozenset(name for name, channel in CHANNELS.items() if not channel.wakes)
