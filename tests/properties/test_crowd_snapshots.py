"""A builder may be killed at any write: everybody sees one snapshot whole, and each change is heard once.

The store writes user by user here, so that a builder dies between any two; the warehouse is a real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.adapters.crowds.port import Live, Span
from kairos.adapters.warehouse.change import changing
from kairos.adapters.warehouse.folder import Folder
from kairos.engine.crowd.guard import Waivers
from kairos.engine.crowd.spec import Keeping, Members
from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.rule.model import Activity, RuleSet
from kairos.usecases.crowds.build import Building
from kairos.usecases.crowds.look import members
from kairos.usecases.crowds.places import Places

ANY = Waivers(empty=True, change=True)
AS_OF, FLIP = 1_763_778_000_000, 1_763_778_100_000


class Killed(BaseException):
    pass


class World:
    """A store and a listener outside the builder, which outlive it. `left`: writes until the builder dies; None: it
    lives."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.writes = 0
        self.lives: dict[str, Live] = {}
        self.members: dict[str, Span] = {}
        self.heard: list[tuple[str, str, str, int]] = []
        self.told_of: list[tuple[int, int]] = []

    def write(self) -> None:
        """To be called before each write, and after the last one."""
        self.writes += 1
        if self.left is not None:
            if not self.left:
                raise Killed
            self.left -= 1

    # ------------------------------------------------------------------------------------------------ as a store
    def live(self) -> Mapping[str, Live]:
        return dict(self.lives)

    def stage(self, crowd: str, spans: Iterable[Span]) -> None:
        for span in spans:
            self.write()
            self.members[span.user_id] = span

    def unstage(self, crowd: str, n: int, users: Iterable[str]) -> None:
        for user in users:
            self.write()
            span = self.members.get(user)
            if span is not None and span.from_n == n:
                del self.members[user]
            elif span is not None and span.to_n == n:
                self.members[user] = Span(user, span.from_n)

    def flip(self, crowd: str, live: Live) -> None:
        self.write()
        self.lives[crowd] = live

    def spans(self, crowd: str) -> Iterator[Span]:
        yield from list(self.members.values())

    def close(self) -> None:
        pass

    # ------------------------------------------------------------------------------------------- as who is told
    def flipped(self, crowd: str, live: Live, size: int) -> None:
        self.write()
        self.told_of.append((live.n, size))

    def changed(self, crowd: str, live: Live, entered: Iterable[str], left: Iterable[str]) -> None:
        for kind, users in (("entered", entered), ("left", left)):
            for user in users:
                self.write()
                self.heard.append((f"crowd/{crowd}/{live.n}/{user}", kind, user, live.at))

    # ---------------------------------------------------------------------------------------------- as the job
    def seen(self) -> set[str]:
        live = self.lives.get("vip")
        return {user for user, span in self.members.items() if live is not None and span.holds(live.n)}

    def number(self) -> int:
        return self.lives["vip"].n if "vip" in self.lives else 0


def rules(*, emit_first: bool = False) -> RuleSet:
    step = Step("event", ("crowd.entered",), "came", where='crowd == "vip"')
    listener = Activity("greeting", Pattern((step,)), state="live")
    return RuleSet(
        {"greeting": listener}, crowds={"vip": Members(None)}, kept={"vip": Keeping(None, emit_first=emit_first)}
    )


class Builder:
    def __init__(self, folder: Path, world: World, *, emit_first: bool = False) -> None:
        with changing(Folder(folder)):
            pass
        self.world = world
        self.places = Places(folder, rules(emit_first=emit_first), store=lambda: world, told=world)
        self.clock = FLIP

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def build(self, users: Iterable[str]) -> str:
        with Building(self.places, self.now) as building:
            building.settle("vip")
            file = building.spill / "users.parquet"
            pyarrow.parquet.write_table(
                pyarrow.table({"user_id": pyarrow.array(sorted(users), pyarrow.string())}), file
            )
            return building.put("vip", file, AS_OF, ANY, stale=False).status

    def kept(self) -> set[str]:
        return set(members(self.places, ["vip"]))


@pytest.fixture(autouse=True)
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A builder also dies before and after each of its writes to files."""
    from kairos.usecases.crowds import before_job

    def counted(name: str) -> None:
        real: Callable[..., Any] = getattr(before_job.CrowdFiles, name)

        def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
            world = CURRENT[0]
            world.write()
            answer = real(self, *args, **kwargs)
            world.write()
            return answer

        monkeypatch.setattr(before_job.CrowdFiles, name, asked)

    for name in ("note", "commit", "forget_pending"):
        counted(name)


CURRENT: list[World] = [World()]


def checked(world: World, builder: Builder, sets: list[set[str]]) -> None:
    """`sets`: of each snapshot, from the first; all of them are whole, and each change was heard once."""
    assert world.number() == len(sets)
    assert world.seen() == sets[-1] == builder.kept()
    heard = {id_: (kind, user) for id_, kind, user, _ in world.heard}
    expected = {}
    for n, (before, after) in enumerate(pairwise(sets), start=2):
        expected |= {f"crowd/vip/{n}/{user}": ("entered", user) for user in after - before}
        expected |= {f"crowd/vip/{n}/{user}": ("left", user) for user in before - after}
    assert heard == expected
    assert len({(id_, at) for id_, _, _, at in world.heard}) == len(expected), "told again with another time"


def test_the_contracts_example_killed_at_every_write(tmp_path: Path) -> None:
    deaths = 0
    while True:
        CURRENT[0] = world = World()
        builder = Builder(tmp_path / str(deaths), world)
        builder.build("abc")
        world.left = deaths
        try:
            builder.build("bcd")
        except Killed:
            whole = {1: set("abc"), 2: set("bcd")}
            assert world.seen() == whole[world.number()]
        else:
            break
        world.left = None
        flipped = world.number() == 2
        builder.build("bcd")
        checked(world, builder, [set("abc"), set("bcd"), set("bcd")] if flipped else [set("abc"), set("bcd")])
        deaths += 1
    assert deaths > 8


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_whoever_dies_wherever_nobody_sees_a_mixture(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    CURRENT[0] = world = World()
    builder = Builder(tmp_path_factory.mktemp("warehouse"), world)
    some = st.sets(st.sampled_from("abcdefg"), max_size=7)
    sets: list[set[str]] = []
    for _ in range(3):
        users = data.draw(some)
        world.left = data.draw(st.integers(0, 24) | st.none())
        before = world.number()
        try:
            builder.build(users)
            sets.append(users)
        except Killed:
            if world.number() > before:
                sets.append(users)
            assert world.seen() == (sets[-1] if sets else set())
        finally:
            world.left = None
    users = data.draw(some)
    builder.build(users)
    checked(world, builder, [*sets, users])
