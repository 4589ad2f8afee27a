"""A command does not wait for libraries that it does not use: what takes long to import is imported by who needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.project.snippets import ROOT

SHOW = """
import sys
from kairos.apps.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (["lint", "{rules}"], {"pandas", "scipy", "numpy", "pyarrow", "duckdb", "sqlalchemy", "pyflink"}),
        (
            ["warehouse", "load", "--into", "W", "--rules", "{rules}", "--events", "{events}"],
            {"pandas", "scipy", "pyflink"},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_command_does_not_use_is_not_imported(words: list[str], unused: set[str], tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"event_id":"e","user_id":"u","type":"view","time":1717200000000}\n')
    places = {"rules": str(ROOT / "rules"), "events": "events.jsonl"}
    called = [sys.executable, "-c", SHOW, *(word.format_map(places) for word in words)]
    done = subprocess.run(called, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert unused & set(done.stdout.splitlines()[-1].split()) == set()
