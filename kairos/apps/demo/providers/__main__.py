"""`python -m kairos.apps.demo.providers --folder F --port P`: the stand-ins as a process, until SIGTERM or SIGINT.

Once all listen, a line says so, and `F/providers.json` says where, with the options by which channels are opened. What
is taken is appended to `F/taken.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import msgspec

from kairos.apps.demo.providers.house import house
from kairos.apps.process import on_stop


async def _run(folder: Path, port: int) -> None:
    stop = asyncio.Event()
    on_stop(stop.set)
    async with house(folder, lambda: time.time_ns() // 1_000_000, port) as (opened, _):
        note = folder / "providers.json"
        partial = note.with_suffix(".part")
        partial.write_bytes(msgspec.json.encode(opened))
        partial.replace(note)
        sys.stdout.write(f"listening on {opened.http}\n")
        sys.stdout.flush()
        await stop.wait()
        note.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m kairos.apps.demo.providers", description="Stand-in providers.")
    parser.add_argument("--folder", type=Path, required=True, help="where secrets, certificate and books are written")
    parser.add_argument("--port", type=int, default=0, help="of HTTP, on loopback; default: any")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.folder, arguments.port))


if __name__ == "__main__":
    main()
