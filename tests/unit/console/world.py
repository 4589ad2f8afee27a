"""A shop with a warehouse and a rule folder whose store has no users; titles and one user id are hostile."""

from __future__ import annotations

import json
from pathlib import Path

from kairos.adapters.settings.api import Api, ApiSettings, Rules, Warehouse
from kairos.engine.event import Event
from tests.measured import DAY, HOUR, START, play, valid
from tests.unit.control.desk import Desk

ROOT = Path(__file__).parents[3]
HOSTILE = "<script>alert(1)</script>"
HOSTILE_USER = '"><img src=x onerror=alert(1)>'
CART = f"""
activity: cart_left
title: "Cart {HOSTILE}"
owner: shop@example.com
state: live
trigger: {{event: cart}}
audience: {{control_group: 50%}}
send: [{{channel: console}}]
goal: {{event: purchase, within: 1d}}
"""
BIRTHDAY = """
activity: welcome_back
title: Welcome back
owner: crm@example.com
state: paused
trigger: {event: visit}
send: [{channel: console}]
"""
MEASURES = """
purchase: {event: purchase, value: 50}
measures:
  again: {retention: {start: {first: cart}, return: [purchase], days: [0, 1, 7]}}
  credit: {attribution: {conversion: {event: purchase, value: 50}, touch: {delivered: 1d}, models: [last, linear]}}
"""
CROWDS = """
buyers: {where: count(purchase) >= 1, refresh: 1d}
quiet: {where: count(purchase) == 0, refresh: 1d}
vip: {members: kept}
"""
FILES = {
    "activities/all/cart_left.yaml": CART.encode(),
    "activities/crm/welcome_back.yaml": BIRTHDAY.encode(),
    "crowds.yaml": CROWDS.encode(),
    "measures.yaml": MEASURES.encode(),
}
USERS = [HOSTILE_USER, *(f"u{number}" for number in range(1, 40))]
NOW = START + 12 * DAY


EXAMPLES = """tests:
  - name: the message
    events:
      - {at: 0s, visit: {user_id: u1}}
    expect: [{at: 0s, outcome: send, channel: email}]
"""
WRITTEN = "activities/shop/nudge.yaml"


def drafts(desk: Desk, folder: Path, url: str) -> ApiSettings:
    """The rules of the desk's first release in a folder to write in, with an example; a warehouse of ten visits, and
    of one user of whom nothing is known but an event that decides nothing."""
    files = {**desk.files, WRITTEN.replace(".yaml", ".test.yaml"): EXAMPLES.encode()}
    for path, content in files.items():
        (folder / "drafts" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "drafts" / path).write_bytes(content)
    visits = [Event(f"v{n}", "visit", desk.now - DAY + n * HOUR, "", {}, f"u{n}") for n in range(10)]
    play(folder / "warehouse", valid(files), [*visits, Event("l", "look", desk.now, "", {}, "quiet")])
    profiles = folder / "profiles.json"
    profiles.write_text(json.dumps({f"u{n}": {"email": f"u{n}@example.com"} for n in range(10)}))
    conf = folder / "conf.yaml"
    conf.write_text(
        f"rules: {{store: '{desk.store}'}}\nprofiles: {{file: {profiles}}}\nwarehouse: {{folder: {folder}/warehouse}}\n"
    )
    api = Api(url=url, rules=str(folder / "drafts"), plans=str(folder / "plans"))
    return ApiSettings(api, Rules(desk.store), Warehouse(str(folder / "warehouse")), str(conf))


def shop(folder: Path, url: str = "http://127.0.0.1:8090") -> ApiSettings:
    """Ten days of carts, half of them bought; the last event is on the tenth."""
    events = []
    for number, user in enumerate(USERS):
        at = START + number % 10 * DAY + 12 * HOUR
        events.append(Event(f"c{number}", "cart", at, "", {}, user))
        if number % 2:
            events.append(Event(f"p{number}", "purchase", at + HOUR, "", {}, user))
    play(folder / "warehouse", valid(FILES), events)
    for path, content in FILES.items():
        (folder / "rules" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "rules" / path).write_bytes(content)
    (folder / "run").mkdir()
    profiles = folder / "profiles.json"
    profiles.write_text('{"u1": {"phone": "+447700900123", "level": 3}}')
    conf = folder / "conf.yaml"
    conf.write_text(
        f"rules: {{store: '{folder}/rules'}}\nprofiles: {{file: {profiles}}}\n"
        f"warehouse: {{folder: {folder}/warehouse}}\n"
        f"files: {{output: {folder}/run}}\n"
        f"gateway: {{sources: 'sqlite:///{folder}/sources.db'}}\n"
        f"delivery: {{store: 'sqlite:///{folder}/delivery.db', channels: {{console: {{provider: console}}}}}}\n"
    )
    place, rules = str(conf), str(folder / "rules")
    api = Api(url=url, rules=rules, plans=str(ROOT / "plans"))
    return ApiSettings(api, Rules(rules), Warehouse(str(folder / "warehouse")), place)
