"""One page of the console, and one thing that a page can do: where it is, who may, and what stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kairos.apps.api.endpoint import Call, Parts
from kairos.apps.console.answers import Answers
from kairos.apps.console.works import Works
from kairos.errors import KairosError
from kairos.usecases.control.rights import Right

Values = Mapping[str, Any]
T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class ConsoleParts(Parts):
    """`answers`: what the warehouse has said before. `works`: what takes longer than a request."""

    answers: Answers
    works: Works = field(default_factory=Works)


class Problems(list[str]):
    """Why something of a page cannot be told; it hides nothing else."""

    def tried(self, ask: Callable[[], T], otherwise: D) -> T | D:
        try:
            return ask()
        except KairosError as error:
            self.append(str(error))
            return otherwise


@dataclass(frozen=True)
class Screen:
    """`name`: of its template, and what its texts begin with. `does` gives what the template shows; `command`, `zone`
    and `title` of these are shown by the frame. `query`: what the URL may say. `menu`: it stands in the navigation.
    `posted`: a form asks for it, whose fields are `call.body`; it changes nothing, or shows what is shown only once.
    `slow`: what of the query asks for what takes long."""

    path: str
    name: str
    does: Callable[[ConsoleParts, Call], Values]
    query: tuple[str, ...] = ()
    right: Right = "look"
    menu: bool = False
    posted: bool = False
    slow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deed:
    """What a form does. `does` gives the path to go to next; the fields of the form are `call.body`."""

    path: str
    does: Callable[[ConsoleParts, Call], str]
    right: Right
