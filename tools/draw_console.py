"""Draws the pictures of docs/console.md: the console in Chromium, on what `make run` has left.

python tools/draw_console.py            writes docs/console/*.png
python tools/draw_console.py write      only this one
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from kairos.adapters.settings.api import load  # noqa: E402
from tests.browser.screens import DESK, PHONE, chromium, free_url, served  # noqa: E402

NEW_CROWD = "/new-crowd?name=keen&of0=product_view&window0=30d&value0=5&of1=purchase&operator1=%3D%3D&value1=0"
PICTURES = {
    "activities": ("/", DESK, "light", "en"),
    "activity": ("/activities/cart_left", DESK, "light", "en"),
    "person": ("/people/user_0539?activity=browsing_without_cart&all=yes", DESK, "light", "en"),
    "people": ("/people?find=user_0539", DESK, "light", "en"),
    "measure": ("/measure?name=back_again&by=week", DESK, "light", "en"),
    "write": ("/write?file=activities/checkout/payment_unfinished.yaml", DESK, "light", "en"),
    "tried": ("/write/tried?activity=cart_left&user=user_0539", DESK, "light", "en"),
    "reviews": ("/reviews", DESK, "light", "en"),
    "calendar": ("/calendar?days=3", DESK, "dark", "en"),
    "crowds": ("/crowds", DESK, "light", "en"),
    "new-crowd": (NEW_CROWD, DESK, "light", "en"),
    "health": ("/health", DESK, "dark", "en"),
    "broadcast": (
        "/broadcast?step=check&name=spring&theme=sales&channel=email&control=5%25&goal=purchase&goal_within=7d&title=Spring"
        "&at=2027-03-20T10:00&waves=1%25,100%25"
        "&every=15m&stop_failed=5%25&text=Subject:+Spring%0A%0AIt+is+here.",
        DESK,
        "light",
        "en",
    ),
    "plans": ("/plans", DESK, "light", "en"),
    "plan": ("/plans/unpaid", DESK, "light", "en"),
    "channels": ("/channels", DESK, "light", "en"),
    "sources": ("/sources", DESK, "light", "en"),
    "source": ("/sources/web", DESK, "light", "en"),
    "phone": ("/", PHONE, "light", "zh"),
}
"""Name -> path, size, colours, language."""


def main() -> None:
    settings = load(Path("conf/embedded.yaml"))
    settings = msgspec.structs.replace(settings, api=msgspec.structs.replace(settings.api, url=free_url()))
    folder = ROOT / "docs" / "console"
    folder.mkdir(exist_ok=True)
    with served(settings, time.time_ns() // 1_000_000) as address, chromium() as browser:
        for name in sys.argv[1:] or PICTURES:
            path, size, scheme, language = PICTURES[name]
            context = browser.new_context(base_url=address, viewport=size, color_scheme=scheme, locale=language)
            page = context.new_page()
            page.goto(path)
            page.wait_for_selector("[aria-busy]", state="detached", timeout=120_000)
            page.screenshot(path=folder / f"{name}.png")
            context.close()


if __name__ == "__main__":
    main()
