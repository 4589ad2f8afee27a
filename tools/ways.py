"""How far it is, in files, from a cause to what follows: `python tools/ways.py [--list]`.

Two ways through the engine are walked with a trace on: from a failed receipt to the fallback that it causes, and from a
deadline to the message that falls due at it. Counted are the files of the engine whose code ran, and how often the
next line to run was in another file than the line before: what a reader turns pages for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import engine_kit as kit  # noqa: E402

RULES = """
activity: nudge
trigger: {pattern: [{event: order}, {absent: pay}], within: 10m}
audience: {where: profile.level >= 2}
limits: {caps: [day], once: 1d}
send:
  - {channel: sms, template: t}
  - {channel: email, template: t}
"""
POLICY = """
timezone: UTC
quiet_hours: {from: '22:00', to: '08:00'}
caps: {day: {rules: [{max: 3, per: 1d}]}}
"""
PROFILES = {user: {"phone": "1", "email": "e", "level": 3} for user in ("u1", "u2")}


def walk(call: Callable[[], Any]) -> list[str]:
    """The files of the engine in the order in which their lines ran, without repetitions in a row."""
    files: list[str] = []

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if "/kairos/" not in name or name.startswith("<"):
            return None
        if event == "line" and (not files or files[-1] != name):
            files.append(name)
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return [str(Path(name).relative_to(ROOT)) for name in files]


class World:
    """An engine that has taken the same way once before: what is parsed or imported at first use is no part of it."""

    def __init__(self) -> None:
        self.engine = kit.engine_of(kit.rules(RULES, policy=POLICY), PROFILES)
        self._states = {user: sys.modules[type(self.engine).__module__].UserState() for user in PROFILES}

    def order(self, user: str) -> None:
        self.engine.on_event(user, self._states[user], kit.event(f"0s order user={user}"), kit.BASE)

    def deadline(self, user: str) -> list[Any]:
        return list(self.engine.on_time(user, self._states[user], kit.BASE + kit.ms("10m")))

    def receipt(self, user: str) -> list[Any]:
        receipt = kit.receipt(f"11m nudge failed channel=sms attempt=1 user={user}")
        return list(self.engine.on_event(user, self._states[user], receipt, kit.BASE + kit.ms("11m")))


def deadline_to_send() -> list[str]:
    world = World()
    for user in PROFILES:
        world.order(user)
        files = walk(lambda user=user: expect("sms", world.deadline(user)))
    return files


def receipt_to_fallback() -> list[str]:
    world = World()
    for user in PROFILES:
        world.order(user)
        world.deadline(user)
        files = walk(lambda user=user: expect("email", world.receipt(user)))
    return files


def expect(channel: str, effects: list[Any]) -> None:
    assert [effect.record.channel for effect in effects] == [channel], effects


def main() -> None:
    for name, way in (("failed receipt -> fallback", receipt_to_fallback), ("deadline -> send", deadline_to_send)):
        files = way()
        sys.stdout.write(f"{name}: {len(set(files))} files, {len(files) - 1} changes of file\n")
        if "--list" in sys.argv[1:]:
            sys.stdout.writelines(f"  {file}\n" for file in sorted(set(files)))


if __name__ == "__main__":
    main()
