"""Made-up contact data for the users of the clickstream, which knows none.

Nothing here is data about anyone: each field follows from a hash of the user id, so it is the same in every run, and
shows what real profiles would: choice of channel, users who cannot be reached, time zones, opt-outs. Phone numbers are
from the range that the British regulator keeps free for fiction, addresses are under the reserved example.com.
"""

from __future__ import annotations

from typing import Any

from kairos.engine.decision import share_of

NAMES = ("Ada", "Bram", "Chiara", "Dana", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jun", "Kaya", "Lena", "Mara")
ZONES = ("Europe/Berlin",) * 7 + ("Europe/London",) * 2 + ("Europe/Athens",)

REACHABLE = {"email": 0.85, "phone": 0.7, "push_token": 0.6, "wechat_openid": 0.3}
"""Address field -> share of the users that have it."""

UNSUBSCRIBED = {"email": 0.08, "sms": 0.05, "push": 0.05}
"""Channel -> share of the users that want nothing on it."""

STAFF = 0.02
BLACK_LISTED = 0.01


def made_up_profile(user_id: str) -> dict[str, Any]:
    """The profile of this user id; fields without a value are left out."""

    def chance(of: str) -> float:
        return share_of(user_id, f"made-up/{of}")

    def one_of(of: str, values: tuple[str, ...]) -> str:
        return values[int(chance(of) * len(values))]

    addresses = {
        "email": f"{user_id}@example.com",
        "phone": f"+447700900{int(chance('number') * 1000):03d}",
        "push_token": f"token-{user_id}",
        "wechat_openid": f"openid-{user_id}",
    }
    profile: dict[str, Any] = {"name": one_of("name", NAMES), "timezone": one_of("timezone", ZONES)}
    profile |= {field: addresses[field] for field, share in REACHABLE.items() if chance(field) < share}
    unsubscribed = [channel for channel, share in UNSUBSCRIBED.items() if chance(f"unsubscribed/{channel}") < share]
    if unsubscribed:
        profile["unsubscribed"] = unsubscribed
    if chance("staff") < STAFF:
        profile["crowds"] = ["staff"]
    if chance("black") < BLACK_LISTED:
        profile["lists"] = ["black"]
    return profile
