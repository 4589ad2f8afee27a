"""A made-up clickstream of the example shop, small and the same for a seed: for tests that download nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from kairos.engine.event import Event
from kairos.usecases.operation.dataset.made_up_profiles import made_up_profile

START = int(datetime(2024, 1, 22, 8, tzinfo=UTC).timestamp() * 1000)
MINUTE, DAY = 60_000, 86_400_000
PLACES = (
    *["product_view"] * 6, *["catalog"] * 3, *["add_to_cart"] * 3, *["purchase"] * 2, "search", "compare",
    "wishlist_add", "promo_page", "review_page", "account_page", "cart", "payment_details", "payment_error",
    "payment_error", "error_page", "support_chat",
)  # fmt: skip


def clickstream(users: int, days: int, seed: int) -> list[Event]:
    """Sessions of each user, about one in four days; in the order of their time."""
    chance = random.Random(seed)
    found: list[Event] = []
    for number in range(users):
        for session in range(1 + chance.randrange(days // 2)):
            time = START + chance.randrange(days * DAY)
            platform = chance.choice(["mobile", "desktop"])
            for kind in ("home", *chance.choices(PLACES, k=chance.randint(2, 9))):
                time += chance.randrange(5_000, 4 * MINUTE)
                props = {"session_id": f"s{number}-{session}", "platform": platform}
                found.append(Event(f"e{len(found)}", kind, time, "web", props, f"u{number:03}"))
    return sorted(found, key=lambda event: event.order)


def profiles(users: int) -> dict[str, dict[str, Any]]:
    """Every tenth has the address of the one before; birthdays are in the weeks after START."""
    found = {f"u{number:03}": made_up_profile(f"u{number:03}") for number in range(users)}
    for number, profile in enumerate(found.values()):
        profile["birthday"] = f"1990-02-{number % 28 + 1:02}"
        if number % 10 == 1 and "email" in profile:
            profile["email"] = found[f"u{number - 1:03}"].get("email", profile["email"])
    return found
