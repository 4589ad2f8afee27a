"""Programs and jars that `make setup` installs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kairos.apps.stack.settings import StackError


def program(name: str) -> str:
    """Its path; servers are often not on a normal user's PATH. Raises StackError."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        raise StackError(f"the program '{name}' is not installed; 'make setup' installs it")
    return found


def java() -> str:
    """JAVA_HOME's java, else the one on the PATH. Raises StackError."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin/java") if home else program("java")
