"""All goals at a glance, and the pictures, from what the benchmarks have recorded; it measures nothing:
`python -m benchmarks.overview [--quick | --write]`. Only with `--write` do the pictures go where the page shows them.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import PAGE, grid
from benchmarks.kit.pictures import pictures
from benchmarks.kit.results import Result, latest
from benchmarks.kit.sides import ROOT
from benchmarks.peers.environment import PINS, peers_python
from kairos.apps.native.settings import data_folder

PICTURES = PAGE.parent / "images" / "performance"
CPUS = Path("/proc/cpuinfo")


def draw(results: list[Result], folder: Path) -> None:
    """One SVG file for each picture. Raises KeyError where a benchmark has recorded nothing, CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = msgspec.json.encode(pictures({result.measure: result for result in results}))
    subprocess.run([peers_python(), "-m", "benchmarks.peers.draw", folder], input=shown, cwd=ROOT, check=True)


def table(results: list[Result]) -> str:
    rows = [
        (each.measure, _figure(each.ours), _figure(each.peer), _figure(each.ratio), each.goal, _met(each))
        for each in results
    ]
    met = sum(each.met for each in results)
    head = [f"{hardware()}; {software()}.", "", f"{met} of {len(results)} goals are met:", ""]
    return "\n".join([*head, *grid(("measure", "Kairos", "peer", "ratio", "goal", "met"), rows)])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


def _met(result: Result) -> str:
    return "yes" if result.met else "**no**"


def hardware() -> str:
    model = re.search(r"^model name\s*: (.*)", CPUS.read_text() if CPUS.exists() else "", re.MULTILINE)
    name = model[1] if model else platform.machine()
    return f"{psutil.cpu_count()} cores ({name}), {psutil.virtual_memory().total / 2**30:.0f} GB, {platform.system()}"


def software() -> str:
    """Versions of what runs, and of whom it is compared with."""
    said = subprocess.run(["java", "-version"], stderr=subprocess.PIPE, text=True, check=True).stderr
    java = re.search(r'version "([^"]+)"', said)
    assert java, said
    kafka = next((data_folder() / "jars" / "kafka").glob("kafka_*.jar")).stem.rpartition("-")[2]
    peers = [line.replace("==", " ") for line in PINS.read_text().splitlines() if "==" in line]
    ours = [
        f"Python {platform.python_version()}",
        f"Flink {version('apache-flink')}",
        f"Java {java[1]}",
        f"Kafka {kafka}",
    ]
    return f"{', '.join(ours)}; the peers: {', '.join(peers)}"


def main() -> None:
    given = arguments(__doc__)
    results = latest()
    if given.write:
        draw(results, PICTURES)
    else:
        with tempfile.TemporaryDirectory() as folder:
            draw(results, Path(folder))
    report("overview", given, table(results))


if __name__ == "__main__":
    main()
