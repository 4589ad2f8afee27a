"""What a Flink cluster needs of this project: our code as a zip, the Python environment as an archive."""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

BUILD = Path("build")
CODE = BUILD / "kairos-code.zip"
ENVIRONMENT = BUILD / "kairos-env.tar.gz"
PACKAGES = ("kairos", "operators", "jobs")
INSIDE = "env"
"""The archive's only folder. It holds a virtual environment: the machines need the same Python at the same place."""

_LEFT_OUT = (
    "*/__pycache__",
    "*/__editable__*",  # our own code comes as CODE
    "*/pyflink/lib",  # the JVM's part of Flink is there already
    "*/pyflink/opt",
    "*/pyflink/plugins",
    "*/pyflink/examples",
    "*/site-packages/pip",
    "*/site-packages/mypy",
    "*/site-packages/mypyc",
    "*/site-packages/*__mypyc.*",
    "*/site-packages/hypothesis",
    "*/site-packages/grimp",
    "*/bin/ruff",
)


def package_code(target: Path = CODE) -> Path:
    """Anew each time: it is small. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in PACKAGES:
            for file in sorted(Path(package).rglob("*.py")):
                archive.write(file)
    return target


def package_environment(target: Path = ENVIRONMENT) -> Path:
    """Only when something was installed since. Fast compression: it is unpacked once for each job. Raises OSError."""
    prefix = Path(sys.prefix)
    installed = max(path.stat().st_mtime for path in _site_packages(prefix))
    if target.exists() and target.stat().st_mtime > installed:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    with tarfile.open(partial, "w:gz", compresslevel=1) as archive:
        archive.add(prefix, arcname=INSIDE, filter=_wanted)
    partial.replace(target)
    return target


def _site_packages(prefix: Path) -> Iterator[Path]:
    yield from prefix.glob("lib/python*/site-packages")


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if any(fnmatch(member.name, pattern) for pattern in _LEFT_OUT) else member


def environment_python() -> str:
    """Where a TaskManager finds the interpreter once it has unpacked the archive."""
    return os.path.join(ENVIRONMENT.name, INSIDE, "bin", "python")
