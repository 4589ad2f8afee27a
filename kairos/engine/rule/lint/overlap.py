"""Activities that get in each other's way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from kairos.engine.pattern.spec import Pattern
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import listed

SAID = 3  # names in a message
_RUNNING = ("draft", "submitted", "approved", "live", "paused")


def check_overlaps(drafts: Iterable[Draft]) -> None:
    """Same trigger, same channel, at the same time, not for different people: one event, two messages."""
    alike: dict[object, list[Draft]] = defaultdict(list)
    for draft in drafts:
        for channel in sorted({send.channel for send, _ in draft.sends()}):
            if draft.activity.state in _RUNNING and draft.trigger.complete:
                alike[_unnamed(draft.activity.pattern), draft.activity.audience.where, channel].append(draft)
    for (*_, channel), group in alike.items():  # type: ignore[misc]
        for draft in group:
            others = [other for other in group if other is not draft and _may_meet(draft, other)]
            if others:
                _warn(draft, others, str(channel))


def _unnamed(pattern: Pattern) -> Pattern:
    """What the steps are called makes no difference."""
    steps = tuple(msgspec.structs.replace(step, name=str(n)) for n, step in enumerate(pattern.steps))
    return msgspec.structs.replace(pattern, steps=steps)


def _may_meet(one: Draft, other: Draft) -> bool:
    """Not if a crowd that one asks for is left out by the other, or the better one of them is chosen."""
    if one.activity.matching is not None and one.activity.matching == other.activity.matching:
        return False
    a, b = one.activity.audience, other.activity.audience
    apart = {*a.all_of} & {*b.not_in} or {*b.all_of} & {*a.not_in}
    return not apart and _same_time(one, other)


def _same_time(one: Draft, other: Draft) -> bool:
    a, b = one.activity.active, other.activity.active
    a_first = a.end is not None and b.start is not None and a.end <= b.start
    b_first = b.end is not None and a.start is not None and b.end <= a.start
    return not (a_first or b_first)


def _warn(draft: Draft, others: list[Draft], channel: str) -> None:
    names = [other.name for other in others]
    said = listed(names if len(names) <= SAID else [*names[:SAID], f"{len(names) - SAID} more"], "and")
    message = f"overlap: same trigger as {said}, which also sends by {channel}: one match, two messages"
    hint = "join them with variants, let them compete (`matching`), or tell their audiences apart"
    draft.report.warning(draft.source.keys["activity"], "overlap", message, hint)


def check_names(drafts: Mapping[str, Draft]) -> None:
    """Files with the same activity, and a file that is called otherwise."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, draft in drafts.items():
        paths[draft.name].append(path)
    for path, draft in drafts.items():
        kind = "journey" if draft.activity.part else "activity"
        node = draft.source[kind].node
        if others := [other for other in paths[draft.name] if other != path]:
            message = f"{kind}: '{draft.name}' is there twice: also in {listed(others[:SAID], 'and')}"
            draft.report.error(node, "duplicate-activity", message, "rename one")
        stem = path.rsplit("/", 1)[-1].removesuffix(".yaml")
        if stem != draft.name:
            message = f"{kind}: '{draft.name}' stands in a file of another name, {stem}.yaml"
            draft.report.warning(node, "file-name", message, f"rename the file to {draft.name}.yaml")
