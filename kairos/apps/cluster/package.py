"""What a Flink cluster needs of this project: our code as a zip, the Python environment as an archive."""

from __future__ import annotations

import io
import os
import sys
import sysconfig
import tarfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

BUILD = Path("build")
CODE = BUILD / "kairos-code.zip"
ENVIRONMENT = BUILD / "kairos-env.tar.gz"
PACKAGES = ("kairos", "operators", "jobs")
INSIDE = "env"
"""The archive's only folder: a whole Python, because Flink's thread mode makes it the interpreter's home. A virtual
environment has no standard library, and would end the TaskManager.
"""

_LIBRARY = f"{INSIDE}/lib/python{sys.version_info.major}.{sys.version_info.minor}"
_LEFT_OUT = (
    "*/__pycache__",
    "*/__editable__*",  # our own code comes as CODE
    # The JVM's part of Flink is on the cluster already.
    "*/pyflink/lib",
    "*/pyflink/opt",
    "*/pyflink/plugins",
    "*/pyflink/examples",
    # Installing and checking.
    "*/site-packages/pip",
    "*/site-packages/mypy",
    "*/site-packages/mypyc",
    "*/site-packages/*__mypyc.*",
    "*/site-packages/hypothesis",
    "*/site-packages/grimp",
)
_LEFT_OUT_OF_STANDARD = (
    "*/site-packages",
    "*/dist-packages",
    "*/test",
    "*/config-*",
    "*/ensurepip",
    "*/sitecustomize.py",
)

_FIND_PACKAGES = b"""\
# Debian's Python does not look into site-packages of its own home.
import os
import site

site.addsitedir(os.path.join(os.path.dirname(os.__file__), "site-packages"))
"""


def package_code(target: Path = CODE) -> Path:
    """Anew each time: it is small. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in PACKAGES:
            for file in sorted(Path(package).rglob("*.py")):
                archive.write(file)
    return target


def package_environment(target: Path = ENVIRONMENT) -> Path:
    """Only when something was installed since. Quick rather than small. Raises OSError.

    Self-contained but for the C libraries that Python itself is linked to.
    """
    packages = Path(sysconfig.get_path("purelib"))
    if target.exists() and target.stat().st_mtime > packages.stat().st_mtime:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    with tarfile.open(unfinished, "w:gz", compresslevel=1) as archive:
        archive.add(os.path.realpath(sys.executable), f"{INSIDE}/bin/python")
        archive.add(sysconfig.get_path("stdlib"), _LIBRARY, filter=_standard)
        archive.add(packages, f"{_LIBRARY}/site-packages", filter=_wanted)
        hook = tarfile.TarInfo(f"{_LIBRARY}/sitecustomize.py")
        hook.size = len(_FIND_PACKAGES)
        archive.addfile(hook, io.BytesIO(_FIND_PACKAGES))
    unfinished.replace(target)
    return target


def environment_python() -> str:
    """Where a TaskManager finds the interpreter once it has unpacked the archive."""
    return f"{ENVIRONMENT.name}/{INSIDE}/bin/python"


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if any(fnmatch(member.name, pattern) for pattern in _LEFT_OUT) else member


def _standard(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if any(fnmatch(member.name, pattern) for pattern in _LEFT_OUT_OF_STANDARD) else _wanted(member)
