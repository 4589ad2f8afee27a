"""Values that open doors: they come by reference, and no message, log or repr shows them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


class Secret:
    """A resolved secret. Its text is given only by `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"


def resolve(reference: Any) -> Secret:
    """`{env: NAME}` or `{file: PATH}` -> Secret; a file's last line end is not part of it.

    Raises ValueError, whose message never holds what was given in place of a reference.
    """
    if not isinstance(reference, dict) or len(reference) != 1 or not set(reference) <= {"env", "file"}:
        raise ValueError("a secret is given as {env: NAME} or {file: PATH}, never as text in the configuration")
    ((kind, name),) = reference.items()
    if not isinstance(name, str) or not name:
        raise ValueError(f"the name after '{kind}:' must be text")
    return Secret(_of_environment(name) if kind == "env" else _of_file(name))


def _of_environment(name: str) -> str:
    text = os.environ.get(name)
    if not text:
        raise ValueError(f"the environment variable {name} is not set")
    return text


def _of_file(name: str) -> str:
    try:
        text = Path(name).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"{name}: not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{name}: cannot be read: {error.strerror}") from None
    if not text:
        raise ValueError(f"{name}: the file is empty")
    return text
