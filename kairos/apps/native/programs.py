"""Programs and jars that `make setup` installs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kairos.apps.native.settings import ServiceError


def program(name: str, installs: str = "make setup") -> str:
    """Its path; servers are often not on a normal user's PATH. Raises ServiceError, which says what `installs` it."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        raise ServiceError(f"the program '{name}' is not installed; '{installs}' installs it")
    return found


def java() -> str:
    """JAVA_HOME's java, else the one on the PATH. Raises ServiceError."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin/java") if home else program("java")
