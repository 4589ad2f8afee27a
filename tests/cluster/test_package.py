"""What is shipped to a cluster runs there without anything of this machine."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from kairos.apps.cluster.package import INSIDE, package_code, package_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    archive = package_environment(folder / "env.tar.gz")
    made = archive.stat().st_mtime_ns
    assert package_environment(archive).stat().st_mtime_ns == made, "nothing was installed, so nothing is to be packed"
    with tarfile.open(archive) as stream:
        stream.extractall(folder, filter="tar")
    archive.unlink()
    return folder / INSIDE


def test_the_environment_is_a_python_of_its_own(unpacked: Path, tmp_path: Path) -> None:
    code = package_code(tmp_path / "code.zip")
    script = "import sys, ssl, pyflink.datastream, pemja, kairos.engine, msgspec; print(sys.prefix, msgspec.__file__)"
    done = subprocess.run(
        [unpacked / "bin" / "python", "-c", script],
        env={"PYTHONPATH": str(code)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert all(place.startswith(str(unpacked)) for place in done.stdout.split())


def test_the_code_is_ours_alone(tmp_path: Path) -> None:
    script = "import jobs, operators, kairos; print(jobs.__file__, operators.__file__, kairos.__file__)"
    code = package_code(tmp_path / "code.zip")
    done = subprocess.run(
        ["python3", "-I", "-c", f"import sys; sys.path[:0] = [{str(code)!r}]; {script}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert all(place.startswith(str(code)) for place in done.stdout.split())
