"""`tools/setup` says what a machine lacks, and touches nothing else."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from kairos import __version__

ROOT = Path(__file__).parents[3]


def setup(folder: Path, *parts: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """With programs of `folder`/bin before all others."""
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    own = {"PATH": path, "VENV": str(folder / "venv"), "KAIROS_DATA": str(folder / "data"), **environment}
    return subprocess.run([ROOT / "tools/setup", *parts], env={**os.environ, **own}, capture_output=True, text=True)


def pretend(folder: Path, name: str, script: str) -> None:
    program = folder / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Where JDK 17 is installed."""
    pretend(tmp_path, "java", """echo 'openjdk version "17.0.15" 2025-04-15' >&2""")
    return tmp_path


def test_without_python_it_says_which_and_makes_no_environment(machine: Path) -> None:
    done = setup(machine, "run", PYTHON="python9.9")
    assert done.returncode == 1
    assert "no 'python9.9' on the PATH" in done.stderr
    assert not (machine / "venv").exists()


@pytest.mark.parametrize("version", ["11.0.2", "1.8.0_292"])
def test_another_java_is_refused_with_its_version(machine: Path, version: str) -> None:
    pretend(machine, "java", f"""echo 'openjdk version "{version}" 2020-01-01' >&2""")
    done = setup(machine, "run")
    assert done.returncode == 1
    assert f"'java' is version {version.split('.')[0]};" in done.stderr


def test_an_environment_that_could_not_be_made_is_not_left_behind(machine: Path) -> None:
    pretend(
        machine, "python3.11", """[ "$1" = -c ] || { mkdir -p "$3/bin"; ln -s /bin/true "$3/bin/python"; exit 1; }"""
    )
    done = setup(machine, "run", PYTHON="python3.11")
    assert done.returncode == 1
    assert "python3.11-venv" in done.stderr
    assert not (machine / "venv").exists()


def test_a_failing_step_shows_the_end_of_its_output(machine: Path) -> None:
    pretend(machine, "mvn", "echo 'cannot find the jar'; exit 1")
    done = setup(machine, "jars")
    assert done.returncode == 1
    assert "cannot find the jar" in done.stderr
    assert "jars of Kafka and of a Dubbo client (Maven) failed; its whole output is in" in done.stderr


def test_what_is_there_is_not_fetched_again(machine: Path) -> None:
    pretend(machine, "mvn", f"mkdir -p {machine}/data/jars; echo once >> {machine}/calls")
    assert setup(machine, "jars").returncode == 0
    assert setup(machine, "jars").returncode == 0
    assert (machine / "calls").read_text() == "once\n"


def test_an_unknown_part_is_refused(machine: Path) -> None:
    done = setup(machine, "everything")
    assert done.returncode == 1
    assert "unknown part 'everything'" in done.stderr


def test_make_tells_each_of_its_words_on_a_line_of_a_terminal() -> None:
    lines = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    words = [line for line in lines if line.startswith("  make ")]
    assert len(words) > 20
    assert all(line[23] == " " != line[24] for line in words)


def test_the_version_is_the_same_everywhere() -> None:
    changes = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    packaged = re.findall(r'^    version="(.*)",$', (ROOT / "setup.py").read_text(encoding="utf-8"), re.MULTILINE)
    images = (ROOT / "deploy" / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8")
    deployed = re.findall(r"newTag: (\S+)}", images)
    assert [changes[0], *packaged, *deployed] == [__version__] * 3
