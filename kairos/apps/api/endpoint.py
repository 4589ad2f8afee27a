"""One thing that can be asked of the API: its path, who may, what comes in and what goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kairos.usecases.control.rights import Actor, Right


@dataclass(frozen=True)
class Parts:
    """What every endpoint works with. `store`: of the rules; `conf`: the configuration's file; `rules`: the folder with
    measures.yaml; `plans`: the plan library; `warehouse` None: there is none. `clock`: epoch ms."""

    store: str
    conf: Path
    rules: Path
    plans: Path
    warehouse: Path | None
    clock: Callable[[], int]


@dataclass(frozen=True)
class Call:
    """One request, by somebody who has the right. `path`: what stands in the braces of the path."""

    actor: Actor
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    now: int


@dataclass(frozen=True)
class Endpoint:
    """`body`: the type of what comes in, which refuses fields that it does not have. `answers`: of what goes out.
    `query`: name -> what it says; all may be left out. `right`: asked before anything else is looked at; the use case
    asks for more where it takes more."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    says: str
    does: Callable[[Parts, Call], Any]
    answers: Any
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    right: Right = "look"

    @property
    def name(self) -> str:
        """Of the operation: unique, as programs call it."""
        words = [part.strip("{}") for part in self.path.split("/") if part]
        return "_".join([self.method.lower(), *words])
