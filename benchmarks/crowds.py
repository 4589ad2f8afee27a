"""Five crowds of about N users each combined, on DuckDB and on Trino; and a crowd of N that changes by one percent,
from the list of its members to a Redis where a reader sees it: `python -m benchmarks.crowds [--users N] [--quick |
--write]`.

Members are drawn by a hash from 2 N users, so the same ones each time. A quick run leaves Trino out.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet

from benchmarks.kit.broker import stack
from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from kairos.adapters.crowds.redis import RedisCrowds
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.redis import connect
from kairos.adapters.warehouse.change import changing
from kairos.adapters.warehouse.duckdb import connect as duckdb
from kairos.adapters.warehouse.duckdb import quoted
from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.opening import DUCKDB
from kairos.engine.crowd.guard import Waivers
from kairos.engine.crowd.select import select_of
from kairos.engine.crowd.spec import Keeping, Members, SetCrowd
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.reads.needs import ALWAYS, Needs
from kairos.usecases.crowds.build import Building
from kairos.usecases.crowds.past import past_of
from kairos.usecases.crowds.places import Places

NAMES = ("a", "b", "c", "d", "e")
SETS = {
    "union of five": SetCrowd("union", NAMES),
    "intersection of five": SetCrowd("intersect", NAMES),
    "the first without the others": SetCrowd("difference", NAMES),
    "nested: (a or b) without (c and (d or e))": SetCrowd(
        "difference",
        (SetCrowd("union", ("a", "b")), SetCrowd("intersect", ("c", SetCrowd("union", ("d", "e"))))),
    ),
}
ROUNDS = 3
AS_OF = 1_767_225_600_000
RULES = RuleSet(crowds=dict.fromkeys((*NAMES, "vip"), Members(None)), kept=dict.fromkeys((*NAMES, "vip"), Keeping()))


def fill(folder: Path, users: int) -> None:
    with changing(Folder(folder)):
        pass
    connection = duckdb(folder / ".spill")
    for name in NAMES:
        drawn = f"SELECT '{name}' AS crowd, 'user' || lpad(u::VARCHAR, 8, '0') AS user_id, 1::BIGINT AS from_n, "
        drawn += f"NULL::BIGINT AS to_n FROM range({2 * users}) t(u) WHERE (hash('{name}' || u) >> 17) % 2 = 0"
        file = folder / "crowd_members" / f"{ord(name):08d}.parquet"
        connection.execute(f"COPY ({drawn}) TO {quoted(file)} (FORMAT parquet, COMPRESSION zstd)")
    connection.close()


def combined(folder: Path, engine: str) -> dict[str, tuple[int, float]]:
    """Set -> (members, seconds: the median)."""
    found = {}
    with Places(folder, RULES).asking(engine) as opened:
        past = past_of(opened, Places(folder, RULES), AS_OF, lambda _: True)
        file = opened.scratch / "members.parquet"
        for name, crowd in SETS.items():
            sql = select_of(crowd, past)
            took = [seconds(partial(opened.into, sql, file, 600.0)) for _ in range(ROUNDS)]
            found[name] = (pyarrow.parquet.read_metadata(file).num_rows, statistics.median(took))
    return found


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def changed(folder: Path, users: int, url: str) -> tuple[float, float]:
    """(seconds until the first snapshot is live, seconds until a reader sees the second)."""
    places = Places(folder, RULES, store=lambda: RedisCrowds(connect(url)))
    reader = RedisProfiles(connect(url), 600.0, 100_000, lambda _name: None, degrade=False)
    reader.need(Needs(ALWAYS, kept=frozenset({"vip"})))
    first = seconds(lambda: put(places, folder, range(users)))
    newcomer = f"user{users + users // 100 - 1:08d}"
    assert "vip" not in (reader.get(newcomer) or {}).get("crowds", ())
    begun = time.perf_counter()
    put(places, folder, range(users // 100, users + users // 100))
    while "vip" not in (reader.get(newcomer) or {}).get("crowds", ()):
        time.sleep(0.01)
    took = time.perf_counter() - begun
    reader.close()
    return first, took


def put(places: Places, folder: Path, users: range) -> None:
    file = folder / ".members.parquet"
    names = pyarrow.array((f"user{user:08d}" for user in users), pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"user_id": names}), file)
    with Building(places, lambda: time.time_ns() // 1_000_000) as building:
        building.settle("vip")
        build = building.put("vip", file, AS_OF, Waivers(), stale=False)
    assert build.status == "live", build


def main() -> None:
    given = arguments(__doc__, users=(1_000_000, 20_000))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fill(folder / "warehouse", given.users)
        with stack(folder, "redis", *([] if given.quick else ["trino"])) as servers:
            local = combined(folder / "warehouse", DUCKDB)
            trino = {} if given.quick else combined(folder / "warehouse", servers.settings.trino_url)
            first, second = changed(folder / "warehouse", given.users, servers.settings.redis_url)
    for name, (count, _) in trino.items():
        assert count == local[name][0], name
    rows = [
        (name, f"{count:,}", f"{took:.2f}", f"{trino[name][1]:.2f}" if name in trino else "")
        for name, (count, took) in local.items()
    ]
    lines = [f"Five crowds of {given.users:,} users combined, in seconds; {machine()}:", ""]
    lines += grid(("set", "members", "DuckDB", "Trino"), rows)
    lines += ["", f"A crowd of {given.users:,} before the job, in Redis:", ""]
    whole = [("the first snapshot", f"{first:.1f}"), ("one percent changed, until a reader sees it", f"{second:.1f}")]
    lines += grid(("", "seconds"), whole)
    report("crowds", given, "\n".join(lines))


if __name__ == "__main__":
    main()
