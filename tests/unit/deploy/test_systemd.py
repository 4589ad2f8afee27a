"""The units: what systemd itself says of them, and that they call commands that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.deploy.kit import ROOT, check_words

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.target")])
CALLS = {unit: re.search(r"^ExecStart=\S+/kairos (.*)$", unit.read_text(), re.M) for unit in UNITS}
COMMANDS = {unit: found[1] for unit, found in CALLS.items() if found is not None}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd on this machine")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_it(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name.replace("@.", "@x.")
    copy.write_text(re.sub(r"/opt/kairos/\.venv/bin/\w+", "/bin/true", unit.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", COMMANDS, ids=lambda unit: unit.name)
def test_it_calls_a_command_that_there_is(unit: Path) -> None:
    example = "rabbitmq --queue orders --source shop"
    check_words(COMMANDS[unit].replace("$BRIDGE", example).replace("%i", "8080").split())


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_it_comes_back_and_holds_no_secret(unit: Path) -> None:
    text = unit.read_text()
    for line in ("Restart=always", "StartLimitIntervalSec=0", "EnvironmentFile=/etc/kairos/environment"):
        assert f"\n{line}\n" in text
    assert "WantedBy=kairos.target" in text
