"""The gates between a match and its message, in their fixed order: the first that does not allow is the answer.

Each gate takes a `Question` and returns None (allow) or a `Verdict`. The budget, gate 10, is not here: it is spent over
all users (`dispatch.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

from kairos.engine.decision import share_of
from kairos.engine.expression.scope import Scope
from kairos.engine.policy.caps import blocking
from kairos.engine.policy.quiet_hours import quiet_until
from kairos.engine.policy.spec import UserList
from kairos.engine.rule.compile import CompiledActivity, CompiledSend, CompiledVariant, Plan
from kairos.engine.user_state import Case, UserState

ADDRESS_FIELD = {"sms": "phone", "email": "email", "wechat": "wechat_openid", "push": "push_token"}
WAKES_NOBODY = frozenset({"webhook", "console", "file"})


def texts(profile: Mapping[str, Any] | None, field: str) -> Sequence[str]:
    """A list field of a profile; whatever else stands there is nobody's list."""
    value = profile.get(field) if profile is not None else None
    return value if isinstance(value, list | tuple) else ()


def address_of(profile: Mapping[str, Any] | None, channel: str) -> str | None:
    """Where this user is reached on a channel: text, or a number such as a phone's. None: not there, or none needed."""
    value = profile.get(ADDRESS_FIELD.get(channel, "")) if profile is not None else None
    return str(value) if type(value) in (str, int) and value != "" else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`hold`: ask again at `until`; `give_up`: when a cap's patience ends (0: it has none)."""

    outcome: Literal["suppress", "hold", "control"]
    reason: str | None = None
    until: int = 0
    give_up: int = 0


@dataclass(slots=True)
class Question:
    """May this case be sent now? `entries` are the ways left, (index in `send`, entry); gates narrow them down."""

    plan: Plan
    activity: CompiledActivity
    state: UserState
    case: Case
    user_id: str
    now: int
    scope: Scope
    profile: Mapping[str, Any] | None  # None: nobody knows this user
    check_reach: bool
    variant: CompiledVariant | None = None
    entries: list[tuple[int, CompiledSend]] = field(default_factory=list)

    @property
    def first_attempt(self) -> bool:
        return self.case.attempt == 0

    @property
    def zone(self) -> ZoneInfo:
        return self.scope.zone

    def listed(self, which: UserList | None, name: str) -> bool:
        if which is None:
            return False
        if which.users is None:
            return name in texts(self.profile, "lists")
        return self.user_id in which.users

    @property
    def white(self) -> bool:
        return self.listed(self.plan.policy.white, "white")


Gate = Callable[[Question], Verdict | None]


def _suppress(reason: str) -> Verdict:
    return Verdict("suppress", reason)


def state_and_dates(q: Question) -> Verdict | None:
    spec = q.activity.spec
    if spec.state == "paused":
        return _suppress("paused")
    if spec.state != "live":
        return _suppress("state")
    start, end = spec.active.start, spec.active.end
    if (start is not None and q.now < start) or (end is not None and q.now >= end):
        return _suppress("dates")
    return None


def black_list(q: Question) -> Verdict | None:
    return _suppress("blacklist") if q.listed(q.plan.policy.black, "black") else None


def audience(q: Question) -> Verdict | None:
    wanted, inside = q.activity.spec.audience, q.scope.in_crowd
    fits = (
        all(inside(crowd) for crowd in wanted.all_of)
        and (not wanted.any_of or any(inside(crowd) for crowd in wanted.any_of))
        and not any(inside(crowd) for crowd in wanted.not_in)
        and (q.activity.where is None or q.activity.where(q.scope))
    )
    return None if fits else _suppress("audience")


def once(q: Question) -> Verdict | None:
    limit = q.activity.spec.limits.once
    last = q.state.once.get(q.activity.name)
    if limit == "occurrence" or last is None or not q.first_attempt:
        return None
    return _suppress("once") if limit == "ever" or last > q.now - limit else None


def control_group(q: Question) -> Verdict | None:
    control = q.activity.spec.audience.control
    if control is None or not q.first_attempt:
        return None
    inside = q.scope.in_crowd(control) if isinstance(control, str) else share_of(q.user_id, q.activity.name) < control
    return Verdict("control") if inside else None


def quiet_hours(q: Question) -> Verdict | None:
    """Entries that wake nobody may go at any time, so where the preferred one does, only such ones stay."""
    quiet, wish = q.plan.policy.quiet_hours, q.activity.spec.limits.quiet_hours
    if quiet is None or wish == "ignore" or q.white:
        return None
    until = quiet_until(quiet, q.now, q.zone)
    if until is None:
        return None
    preferred = next((send for _, send in q.entries if _reachable(q, send)), q.entries[0][1] if q.entries else None)
    if preferred is not None and preferred.channel in WAKES_NOBODY:
        q.entries = [(i, send) for i, send in q.entries if send.channel in WAKES_NOBODY]
        return None
    return _suppress("quiet_hours") if wish == "drop" else Verdict("hold", "quiet_hours", until)


def _reachable(q: Question, send: CompiledSend) -> bool:
    if send.channel in texts(q.profile, "unsubscribed"):
        return False
    return not q.check_reach or send.channel not in ADDRESS_FIELD or address_of(q.profile, send.channel) is not None


def reach(q: Question) -> Verdict | None:
    q.entries = [(i, send) for i, send in q.entries if _reachable(q, send)]
    return None if q.entries else _suppress("unreachable")


def caps(q: Question) -> Verdict | None:
    """Entries whose channel is full drop out; with none left the first cap in the way is named."""
    names = q.activity.spec.limits.caps
    if not names or q.white:
        return None
    rules = [q.plan.policy.caps[name] for name in names if name in q.plan.policy.caps]
    full = [
        blocking(rules, send.channel, q.case.occurrence, q.state.reservations, q.now, q.zone) for _, send in q.entries
    ]
    free = [entry for entry, obstacles in zip(q.entries, full, strict=True) if not obstacles]
    if free:
        q.entries = free
        return None
    obstacles = full[0]
    patience = [o.cap.retry_for for o in obstacles]
    final = next((o for o, p in zip(obstacles, patience, strict=True) if p is None), None)
    if final is not None:
        return _suppress(f"cap:{final.cap.name}")
    reason = f"cap:{obstacles[0].cap.name}"
    give_up = q.case.give_up or q.now + min(p for p in patience if p is not None)
    if q.now >= give_up:
        return _suppress(reason)
    return Verdict("hold", reason, min(min(max(o.free_at for o in fs) for fs in full), give_up), give_up)


def content(q: Question) -> Verdict | None:
    send = q.entries[0][1]
    values = template_values(send, q.scope)
    return _suppress("missing_value") if any(values[name] is None for name in send.required) else None


def template_values(send: CompiledSend, scope: Scope) -> dict[str, Any]:
    """The values of the template's variables, by their path: a name of `data`, or `profile.x`."""
    values: dict[str, Any] = {}
    for path in send.variables:
        if path.startswith("profile."):
            values[path] = scope.profile.get(path.removeprefix("profile."))
        else:
            value = send.data.get(path)
            values[path] = None if value is None else value(scope)
    return values


GATES: tuple[Gate, ...] = (
    state_and_dates,
    black_list,
    audience,
    once,
    control_group,
    quiet_hours,
    reach,
    caps,
    content,
)
WATCH_GATES: tuple[Gate, ...] = (state_and_dates, audience, once)


def choose_variant(activity: CompiledActivity, user_id: str) -> CompiledVariant | None:
    """Sticky by user; weights are relative. None for a watch."""
    variants = activity.variants
    if len(variants) < 2:
        return variants[0] if variants else None
    point = share_of(user_id, f"{activity.name}/variant") * sum(v.weight for v in variants)
    for variant in variants:
        point -= variant.weight
        if point < 0:
            return variant
    return variants[-1]


def ask(q: Question, seen: Callable[[str, Verdict | None], None] | None = None) -> Verdict | None:
    """The first verdict that does not allow; None: all allow. `seen` is told of each gate asked, for `explain`."""
    for gate in WATCH_GATES if q.activity.is_watch else GATES:
        verdict = gate(q)
        if seen is not None:
            seen(gate.__name__, verdict)
        if verdict is not None:
            return verdict
    return None
