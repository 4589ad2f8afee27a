"""What a run on files leaves is clean for the audit, and docs/audit.md shows what it then prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kairos.apps.native.settings import data_folder
from kairos.usecases.operation.dataset.clickstream import prepare
from tests.unit.project.snippets import ROOT, agrees, commands, make_workspace, run, snippets

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(600)]

PAGE = ROOT / "docs" / "audit.md"


def test_the_page_tells_of_a_run_of_the_clickstream(tmp_path: Path) -> None:
    workspace = tmp_path / "kairos"
    make_workspace(workspace, prepare(data_folder() / "data").events.parent)
    shutil.copytree(ROOT / "conf", workspace / "conf")
    kairos = Path(sys.executable).with_name("kairos")
    environment = {name: value for name, value in os.environ.items() if name != "KAIROS_DATA"}
    done = subprocess.run([kairos, "run"], cwd=workspace, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    played = 0
    for snippet in snippets(PAGE):
        if "file" in snippet.options:
            (workspace / snippet.options["file"]).write_text(snippet.text)
        elif snippet.language == "console":
            for command in commands(snippet):
                if "--conf" not in command.text:  # what is live is not here
                    printed = run(command.text, workspace, kairos)
                    assert agrees(command.shown, printed), f"{command.text} printed\n" + "\n".join(printed)
                    played += 1
    assert played == 2
