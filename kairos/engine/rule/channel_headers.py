"""What the head of a template may say on each channel."""

from __future__ import annotations

from collections.abc import Mapping

_LINKED = {
    "title": "What stands above the text.",
    "link": "What a tap or click opens.",
    "image": "The address of a picture.",
}

HEADERS: Mapping[str, Mapping[str, str]] = {
    "email": {"subject": "The subject line."},
    "push": _LINKED,
    "wechat": {
        "template_id": "The template that the official account has been granted; the body gives its data.",
        "link": "What a tap opens.",
        "mini_program_appid": "The mini-program that a tap opens, in place of the link.",
        "mini_program_path": "The page inside the mini-program.",
    },
    "sms": {"template_code": "The provider's own template, where it sends no other text; the body gives its data."},
    "webhook": _LINKED,
    "in_app": _LINKED,
}
"""Channel -> header -> its meaning. Channels that are not here (`console`, `file`) show whatever the head says."""
