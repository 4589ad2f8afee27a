"""Draws the pictures of docs/console.md: the console in Chromium, on what `make run` has left.

python tools/draw_console.py            writes docs/console/*.png
python tools/draw_console.py write      only this one
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Set
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from kairos.adapters.settings.api import load  # noqa: E402
from tests.browser.screens import DESK, PHONE, chromium, free_url, served  # noqa: E402

Picture = tuple[str, dict[str, int], str, str]
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
    "crowd": ("/crowds/window_shoppers", DESK, "light", "en"),
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

OF_A_DATABASE = {
    "releases": ("/releases", DESK, "light", "en"),
    "release": ("/releases/1", DESK, "light", "en"),
    "review": ("/reviews/cart_left", DESK, "light", "en"),
    "channel": ("/channels/sms", DESK, "light", "en"),
}
"""Likewise, where the rule store is a database, a workflow says who has to agree, and channels are configured."""

OF_USERS = {"sign-in": ("/", DESK, "light", "en")}
"""Likewise, once that database has a user."""

WORKFLOW = """steps: {content: {by: editor}, risk: {by: risk}}
paths:
  - {when: reach > 1000, then: [content, risk]}
  - {then: [content]}
"""
CHANGED = (
    ("activities/cart/cart_left.yaml", "priority: 50", "priority: 60"),
    ("policy.yaml", "{max: 4, per: 7d}", "{max: 3, per: 7d}"),
    ("templates/cart_reminder.push.liquid", "just as you left it", "and shipping is free today"),
)
STORE = "sqlite:///rules.db"
CHANNELS = '  channels:\n    sms: {provider: file, path: "${KAIROS_DATA:-.kairos}/outbox/sms.jsonl"}\n'


def main() -> None:
    (ROOT / "docs" / "console").mkdir(exist_ok=True)
    wanted = frozenset(sys.argv[1:] or PICTURES.keys() | OF_A_DATABASE.keys() | OF_USERS.keys())
    laptop = Path("conf/embedded.yaml")
    with TemporaryDirectory() as folder, chromium() as browser:
        draw(browser, laptop, PICTURES, wanted)
        if not wanted <= PICTURES.keys():
            text = laptop.read_text().replace("  store: rules\n", f"  store: {STORE}\n")
            os.environ.setdefault("KAIROS_DATA", str(ROOT / ".kairos"))
            with chdir(folder):  # so that the commands on the pages name no folder of this machine
                conf = Path("kairos.yaml")
                conf.write_text(text.replace("delivery:\n", f"delivery:\n{CHANNELS}"))
                two_releases()
                draw(browser, conf, OF_A_DATABASE, wanted)
                kairos("users", "add", "ann", "--role", "admin", "--store", STORE)
                draw(browser, conf, OF_USERS, wanted)


def two_releases() -> None:
    """The project's rules, and then other ones; a change waits for somebody to agree."""
    rules = Path("rules")
    shutil.copytree(ROOT / "rules", rules)
    publish = ("publish", rules, "--store", STORE, "--no-backtest", "--accept-cold", "--author")
    kairos(*publish, "ann")
    for file, old, new in CHANGED:
        change(rules / file, old, new)
    kairos(*publish, "eve")
    (rules / "workflow.yaml").write_text(WORKFLOW)
    change(rules / CHANGED[0][0], "priority: 60", "priority: 70")
    kairos("submit", rules, "--store", STORE, "--author", "eve")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, file
    file.write_text(text.replace(old, new))


def kairos(*arguments: object) -> None:
    subprocess.run((sys.executable, "-m", "kairos", *map(str, arguments)), check=True)


def draw(browser: Browser, conf: Path, pictures: Mapping[str, Picture], wanted: Set[str]) -> None:
    settings = load(conf)
    settings = msgspec.structs.replace(settings, api=msgspec.structs.replace(settings.api, url=free_url()))
    with served(settings, time.time_ns() // 1_000_000) as address:
        for name in pictures.keys() & wanted:
            path, size, scheme, language = pictures[name]
            context = browser.new_context(base_url=address, viewport=size, color_scheme=scheme, locale=language)
            page = context.new_page()
            page.goto(path)
            page.wait_for_selector("[aria-busy]", state="detached", timeout=120_000)
            page.screenshot(path=ROOT / "docs" / "console" / f"{name}.png")
            context.close()


if __name__ == "__main__":
    main()
