"""Activities that get in each other's way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import listed

SAID = 3  # names in a message
_RUNNING = ("draft", "submitted", "approved", "live", "paused")


def check_overlaps(drafts: Iterable[Draft]) -> None:
    """Same trigger, same channel, at the same time, for the same people: one event, two messages."""
    alike: dict[object, list[Draft]] = defaultdict(list)
    for draft in drafts:
        for channel in sorted({send.channel for send, _ in draft.sends()}):
            if draft.activity.state in _RUNNING and draft.trigger.complete:
                alike[draft.activity.pattern, draft.activity.audience, channel].append(draft)
    for (*_, channel), group in alike.items():  # type: ignore[misc]
        for draft in group:
            others = [other for other in group if other is not draft and _same_time(draft, other)]
            if others:
                _warn(draft, others, str(channel))


def _same_time(one: Draft, other: Draft) -> bool:
    a, b = one.activity.active, other.activity.active
    a_first = a.end is not None and b.start is not None and a.end <= b.start
    b_first = b.end is not None and a.start is not None and b.end <= a.start
    return not (a_first or b_first)


def _warn(draft: Draft, others: list[Draft], channel: str) -> None:
    names = [other.name for other in others]
    said = listed(names if len(names) <= SAID else [*names[:SAID], f"{len(names) - SAID} more"], "and")
    message = f"overlap: same trigger as {said}, which also sends by {channel}: one match, two messages"
    hint = "join them with variants, or tell their audiences apart"
    draft.report.warning(draft.source.keys["activity"], "overlap", message, hint)


def check_names(drafts: dict[str, Draft]) -> None:
    """Two files with one activity, and a file that is called otherwise."""
    seen: dict[str, str] = {}
    for path, draft in drafts.items():
        node = draft.source["activity"].node
        if draft.name in seen:
            draft.report.error(
                node, "duplicate-activity", f"activity: '{draft.name}' is already in {seen[draft.name]}", "rename one"
            )
        seen.setdefault(draft.name, path)
        stem = path.rsplit("/", 1)[-1].removesuffix(".yaml")
        if stem != draft.name:
            message = f"activity: '{draft.name}' stands in a file of another name, {stem}.yaml"
            draft.report.warning(node, "file-name", message, f"rename the file to {draft.name}.yaml")
