"""Providers' error codes as outcomes: `by_code((Misconfigured, (20003,)), (opted_out, (21610,)))`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from kairos.adapters.channels.channel import DeadAddress, Outcome

Code = TypeVar("Code", int, str)
Kind = Callable[[str], Outcome]


def opted_out(reason: str) -> Outcome:
    return DeadAddress(reason, opted_out=True)


def by_code(*rows: tuple[Kind, Iterable[Code]]) -> dict[Code, Kind]:
    return {code: kind for kind, codes in rows for code in codes}
