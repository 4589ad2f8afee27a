"""Gates, holds, fallback and goals of one user by their definition: every question is a scan over all that was sent.

No state is kept up to date here and there is no index: the end of a hold is found by trying moment after moment.
Covers triggers of one event, and of one event that another must not follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.decision import share_of
from kairos.engine.event import Event
from kairos.engine.rule.model import Activity, OncePer, RuleSet, Send
from tests.properties.twins.wish import Wish

DAY, MINUTE = 86_400_000, 60_000


ADDRESS = {"sms": "phone", "email": "email"}


QUIET_AT_NIGHT = ("sms", "email")  # of the channels of this world, those that wake somebody


HOLDS = {"quiet": "quiet_hours", "closed": "send_window", "patience": ""}


Line = tuple[int, str, str, str | None, str | None, int]  # at, activity, outcome, reason, channel, attempt


class World:
    """One user's life under the rules."""

    def __init__(self, rules: RuleSet, user: str, profile: dict[str, Any], events: Sequence[Event]) -> None:
        self.rules, self.user, self.profile, self.events = rules, user, profile, events
        self.policy = rules.policy
        self.zone = ZoneInfo(profile.get("timezone") or rules.policy.timezone)
        self.wishes: list[Wish] = []
        self.told: list[Line] = []
        self.lists = {name: lst.users or () for name in ("black", "white") if (lst := getattr(self.policy, name))}

    def live(self) -> list[Line]:
        matches = sorted(self._matches(), key=lambda w: (w.at, -w.activity.priority, w.activity.name))
        moments = {match.at for match in matches} | {event.time for event in self.events}
        now = -1
        while moments:
            now = min(moments)
            for event in (event for event in self.events if event.time == now):
                self._goals(event)
                self._undo(event)
            self.wishes += [match for match in matches if match.at == now]
            due = [
                w
                for w in self.wishes
                if not w.over and ((w.waits and w.until == now) or w.fallback_at == now or (w.at == now and not w.sent))
            ]
            self._decide(sorted(due, key=lambda w: (-w.activity.priority, w.activity.name, w.at)), now)
            moments = {m for m in moments | set(self._later(now)) if m > now}
        return self.told

    def _decide(self, due: Sequence[Wish], now: int) -> None:
        """The wishes of one instant, in their order."""
        for wish in due:
            self._ask(wish, now)

    def _matches(self) -> Iterator[Wish]:
        for activity in self.rules.activities.values():
            first, *rest = activity.pattern.steps
            for event in self.events:
                if event.type not in first.types or event.merged:
                    continue
                if not rest:
                    yield Wish(activity, event, event.time)
                    continue
                within = activity.pattern.within or 0
                forbidden = [e for e in self.events if e.type in rest[0].types and e.order > event.order]
                if not any(e.time < event.time + within for e in forbidden):
                    yield Wish(activity, event, event.time + within)

    def _later(self, now: int) -> Iterator[int]:
        """The moments at which something that waits now is to be asked about."""
        for wish in self.wishes:
            if wish.fallback_at is not None:
                yield wish.fallback_at
            if wish.waits or (wish.fallback_at is not None and not wish.over):
                yield wish.until

    def _end_of_hold(self, wish: Wish, entries: list[Send], now: int) -> int:
        """The first moment that the gate in the way would allow, or at which patience or `send_before` ends."""
        ends = {wish.at + wish.activity.limits.send_before} if wish.activity.limits.send_before is not None else set()
        if wish.held == "quiet_hours":
            minutes = (minute * MINUTE for minute in range(now // MINUTE + 1, now // MINUTE + 1440))
            return min({next(m for m in minutes if not self._quiet(m)), *ends})
        if wish.held == "send_window":
            minutes = (minute * MINUTE for minute in range(now // MINUTE + 1, now // MINUTE + 8 * 1440))
            return min({next(m for m in minutes if self._open(wish.activity, m)), *ends})
        rules = [rule for cap in self.policy.caps.values() for rule in cap.rules]
        moments = {sent[0] + rule.per for w in self.wishes for sent in w.sent for rule in rules} | {
            self._midnight(now, 1)
        }
        free = {m for m in moments if m > now and any(not self._full(wish, entry, m) for entry in entries)}
        return min(free | ends | {wish.patient_until or 0})

    # ------------------------------------------------------------------------------------------------ what undoes
    def _goals(self, event: Event) -> None:
        if event.merged:
            return
        for name in sorted(self.rules.activities):
            goal = self.rules.activities[name].goal
            if goal is None or not self.rules.activities[name].send or event.type not in goal.events:
                continue
            if goal.where is not None and not event.props["n"] >= 2:
                continue
            mine = [
                w
                for w in self.wishes
                if w.activity.name == name and (w.first is not None or w.control or w.held or w.window)
            ]
            mine = [w for w in mine if self._decided(w) < event.time < self._decided(w) + goal.within]
            decided = [w for w in mine if w.first is not None or w.control]
            if decided:
                latest = max(decided, key=self._decided)
                if not latest.goal_met:
                    latest.goal_met = True
                    self._tell(latest, event.time, "goal", None, latest.sent[-1][1] if latest.sent else None)
            for wish in mine:
                self._cancel(wish, event.time)

    def _undo(self, event: Event) -> None:
        for wish in self.wishes:
            steps = wish.activity.pattern.steps
            if len(steps) == 2 and event.type in steps[1].types and wish.at < event.time:
                self._cancel(wish, event.time)

    def _cancel(self, wish: Wish, now: int) -> None:
        if (wish.waits or wish.fallback_at is not None) and not wish.over and not wish.control:
            self._tell(wish, now, "suppress", "cancelled", None)
        wish.over = wish.over or bool(wish.waits or wish.sent)
        wish.held, wish.window = "", False

    # -------------------------------------------------------------------------------------------------- the gates
    def _ask(self, wish: Wish, now: int) -> None:
        if not wish.activity.send:
            self._watch(wish, now)
            return
        answer, entries = self._answer(wish, now)
        if answer in HOLDS:
            reason = HOLDS[answer] or f"cap:{self._full(wish, entries[0], now)[0]}"
            self._hold(wish, reason, now)
            wish.until = self._end_of_hold(wish, entries, now)
        elif answer == "control":
            self._take_out(wish, now)
        elif answer is not None:
            self._suppress(wish, answer, now)
        else:
            self._send(wish, entries[0], now)

    def _answer(self, wish: Wish, now: int) -> tuple[str | None, list[Send]]:
        """The gates, and whether it is too late by now."""
        wish.ghost = wish.control and not wish.over
        answer, entries = self._gates(wish, now)
        limit = wish.activity.limits.send_before
        last = None if limit is None else wish.at + limit
        if last is not None and ((answer in HOLDS and now >= last) or (answer is None and now > last)):
            return "expired", entries
        return answer, entries

    def _hold(self, wish: Wish, reason: str, now: int) -> None:
        if wish.ghost:
            self._take_out(wish, now)
            wish.over = False
        elif not wish.held:
            self._tell(wish, now, "hold", reason, None)
        wish.held, wish.window = reason, False

    def _suppress(self, wish: Wish, reason: str, now: int) -> None:
        if wish.ghost:
            self._take_out(wish, now)
        else:
            self._tell(wish, now, "suppress", reason, None)
            wish.over, wish.held = True, ""

    def _take_out(self, wish: Wish, now: int) -> None:
        if not wish.control:
            self._tell(wish, now, "control", None, None)
            wish.decided = now
        wish.control = wish.over = True

    def _send(self, wish: Wish, entry: Send, now: int) -> None:
        wish.held, wish.window, wish.patient_until = "", False, None
        wish.sent.append((now, entry.channel, wish.activity.send.index(entry)))
        self._tell(wish, now, "send", None, entry.channel)

    def _watch(self, wish: Wish, now: int) -> None:
        wish.over = True
        answer = self._audience(wish) or self._once(wish, now)
        if answer is None:
            wish.control = True  # counted from the match
        self._tell(wish, now, "match" if answer is None else "suppress", answer, None)

    def _gates(self, wish: Wish, now: int) -> tuple[str | None, list[Send]]:
        activity, limits = wish.activity, wish.activity.limits
        white = self.user in self.lists.get("white", ())
        entries = list(activity.send[wish.sent[-1][2] + 1 :] if wish.sent else activity.send)
        if wish.sent:
            entries = [entry for entry in entries if entry.after is not None]
        if self.user in self.lists.get("black", ()):
            return "blacklist", entries
        early = self._audience(wish) or (None if wish.sent else self._once(wish, now))
        if early:
            return early, entries
        if activity.audience.control is not None and not wish.sent and share_of(self.user, activity.name) < 0.5:
            wish.ghost = activity.matching is not None
            if not wish.ghost:
                return "control", entries
        reachable = [e for e in entries if e.channel not in ADDRESS or self.profile.get(ADDRESS[e.channel])]
        if self._quiet(now) and limits.quiet_hours != "ignore" and not white:
            preferred = (reachable or entries)[0]
            if preferred.channel in QUIET_AT_NIGHT:
                return ("quiet_hours" if limits.quiet_hours == "drop" else "quiet"), entries
            reachable = [e for e in reachable if e.channel not in QUIET_AT_NIGHT]
        if not self._open(activity, now):
            return "closed", entries
        if not reachable:
            return "unreachable", entries
        free = [entry for entry in reachable if white or not self._full(wish, entry, now)]
        if free:
            return None, free
        full = self._full(wish, reachable[0], now)
        patience = [self.policy.caps[name].retry_for for name in full]
        if None in patience:
            return f"cap:{full[patience.index(None)]}", reachable
        if wish.patient_until is None:
            wish.patient_until = now + min(p for p in patience if p is not None)
        return (f"cap:{full[0]}" if now >= wish.patient_until else "patience"), reachable

    def _audience(self, wish: Wish) -> str | None:
        wanted, vip = wish.activity.audience, "vip" in self.profile.get("crowds", ())
        fits = (not wanted.all_of or vip) and not (wanted.not_in and vip)
        return None if fits and (wanted.where is None or wish.trigger.props["n"] != 2) else "audience"

    def _once(self, wish: Wish, now: int) -> str | None:
        limit, name = wish.activity.limits.once, wish.activity.name
        if limit == "occurrence":
            return None
        mine = [w for w in self.wishes if w.activity.name == name]
        if isinstance(limit, OncePer):
            mine = [w for w in mine if w.trigger.props[limit.per] == wish.trigger.props[limit.per]]
            limit = limit.span
        times = [w.sent[0][0] for w in mine if w.sent] + [self._decided(w) for w in mine if w.control and w is not wish]
        return "once" if any(limit == "ever" or now - limit < at <= now for at in times) else None  # type: ignore[operator]

    def _decided(self, wish: Wish) -> int:
        return wish.first or wish.decided or wish.at

    def _full(self, wish: Wish, entry: Send, now: int) -> list[str]:
        names = []
        for name in wish.activity.limits.caps:
            for rule in self.policy.caps[name].rules:
                since = self._midnight(now, 0) - 1 if rule.window == "calendar" else now - rule.per
                slots = 0
                for other in self.wishes:
                    channels = [c for at, c, _ in other.sent if rule.channel in (None, c)]
                    times = [at for at, c, _ in other.sent if c in channels]
                    counts = name in other.activity.limits.counts_toward
                    slots += other is not wish and counts and any(since < at <= now for at in times)
                if rule.channel in (None, entry.channel) and slots >= rule.most and name not in names:
                    names.append(name)
        return names

    # ----------------------------------------------------------------------------------------------------- clocks
    def _quiet(self, now: int) -> bool:
        quiet, shown = self.policy.quiet_hours, datetime.fromtimestamp(now // 1000, UTC).astimezone(self.zone)
        return quiet is not None and quiet.start <= shown.hour * 60 + shown.minute < quiet.end

    def _open(self, activity: Activity, now: int) -> bool:
        window, shown = activity.limits.send_window, datetime.fromtimestamp(now // 1000, UTC).astimezone(self.zone)
        return window is None or window.hours.start <= shown.hour * 60 + shown.minute < window.hours.end

    def _midnight(self, now: int, days: int) -> int:
        shown = datetime.fromtimestamp(now // 1000, UTC).astimezone(self.zone)
        return (
            int((datetime(shown.year, shown.month, shown.day, tzinfo=self.zone) + timedelta(days=days)).timestamp())
            * 1000
        )

    def _tell(self, wish: Wish, at: int, outcome: str, reason: str | None, channel: str | None) -> None:
        done = len(wish.sent)
        attempt = done if outcome == "send" else done + 1 if outcome in ("hold", "suppress") else 1
        self.told.append((at, wish.activity.name, outcome, reason, channel, attempt))
