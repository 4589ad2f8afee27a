"""Gate 9: the message is made, and never goes out with a hole in it, or with nothing to say."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any

from kairos.engine.catalog.items import Shelf
from kairos.engine.gate.question import Question, Verdict, suppress
from kairos.engine.rule.compiled import CompiledSend
from kairos.engine.rule.content.rendering import ContentError
from kairos.engine.user.moment import Moment


def content(q: Question) -> Verdict | None:
    send = q.entries[0][1]
    if send.spec.template is None:
        return None
    try:
        q.program.content.check(send.spec.template, send.channel, values_of(send, q.scope), q.zone)
    except ContentError as error:
        return suppress("missing_value", str(error))
    return None


def message_values(send: CompiledSend, scope: Moment) -> dict[str, Any]:
    """What a delivery carries: `data`, and what the template reads beside it: by its path (`profile.x`), and the items
    of catalogs that it looks up."""
    values = values_of(send, scope)
    shelves = {name: value for name, value in values.items() if isinstance(value, Shelf)}
    if shelves and send.spec.template is not None:
        content = scope.instant.program.content
        with contextlib.suppress(ContentError):  # which the gate has told
            content.render(send.spec.template, send.channel, values, scope.zone)
    return values | {name: shelf.taken for name, shelf in shelves.items()} | dict.fromkeys(send.coupons)


def values_of(send: CompiledSend, scope: Moment) -> dict[str, Any]:
    """As `message_values`, but that a catalog can be asked for every item, and something stands for each code."""
    catalogs = scope.instant.program.rules.catalogs
    values = {name: value(scope) for name, value in send.data.items()}
    values |= {name: f"{pool.upper()}-CODE" for name, pool in send.coupons.items()}
    for path in send.variables:
        if path.startswith("profile."):
            values[path] = scope.profile.get(path.removeprefix("profile."))
        elif path in catalogs and path not in values:
            values[path] = Shelf(partial(scope.item, path))
        else:
            values.setdefault(path, None)
    return values
