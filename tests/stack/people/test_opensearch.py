"""Finding people in a real OpenSearch, where its jars are (`make setup-search`). With KAIROS_RECORD=1 what it answers
is kept for the tests that have no node (tests/unit/people/opensearch_recording.json.gz)."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.adapters.search.opening import open_search
from kairos.adapters.search.port import SearchError, SearchStore
from kairos.apps.native.ports import free_ports
from kairos.apps.native.settings import data_folder
from tests.unit.people.search_contract import SearchContract
from tests.unit.people.search_recording import Note, Recorder, serving, write

JARS = data_folder() / "opensearch"
NODE = Path(__file__).parents[3] / "tools" / "opensearch" / "Node.java"
SECONDS = 180

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not JARS.is_dir(), reason=f"no OpenSearch in {JARS}: make setup-search"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a node of this module's own."""
    folder, ports = tmp_path_factory.mktemp("opensearch"), free_ports(2)
    command = [
        "java",
        "-XX:+UseG1GC",
        "-Xms512m",
        "-Xmx512m",
        "-cp",
        f"{JARS}/*",
        str(NODE),
        str(folder),
        *map(str, ports),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(process, folder / "log")
        yield f"127.0.0.1:{ports[0]}"
    finally:
        process.terminate()
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while b"READY" not in log.read_bytes():
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.2)


@pytest.fixture(scope="module")
def recorded() -> Iterator[dict[str, list[Note]]]:
    notes: dict[str, list[Note]] = {}
    yield notes
    if os.environ.get("KAIROS_RECORD"):
        write(notes)


class TestOpenSearch(SearchContract):
    @pytest.fixture
    def store(
        self, node: str, recorded: dict[str, list[Note]], request: pytest.FixtureRequest
    ) -> Iterator[SearchStore]:
        recorder = Recorder(node)
        with serving(recorder) as url:
            prefix = f"t{len(recorded)}"
            store = open_search(f"opensearch+{url}/{prefix}")
            yield store
            store.close()
        recorded[request.node.name] = recorder.notes


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(SearchError, match=r"opensearch at 127\.0\.0\.1"):
        open_search(f"opensearch+http://127.0.0.1:{free_ports(1)[0]}/x")
