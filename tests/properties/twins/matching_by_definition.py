"""Groups that compete, by their definition: every win is kept for ever, and every question scans them all."""

from __future__ import annotations

from collections.abc import Sequence

from kairos.engine.decision import occurrence_id, share_of
from kairos.engine.policy.spec import Group
from tests.properties.twins.engine_by_definition import Wish, World


class Rivals(World):
    """A `World` in which the candidates of a group are compared. A worth is the trigger's `n`, a score what it says."""

    closes = -1
    wins: tuple[int, ...] = ()

    def _decide(self, due: Sequence[Wish], now: int) -> None:
        group = self.policy.matching.get("g")
        together = [wish for wish in due if wish.activity.matching and not wish.sent]
        done = False
        for wish in due:
            if group is None or wish not in together:
                self._ask(wish, now)
            elif not done:
                self._compare(group, together, now)
                done = True

    def _compare(self, group: Group, wishes: Sequence[Wish], now: int) -> None:
        rivals = []
        for wish in wishes:
            waited = wish.window
            if not self._may_go(wish, now):
                continue
            if group.collect and not waited:
                if self.closes <= now:
                    self.closes = now + group.collect
                wish.window, wish.until = True, self.closes
            elif group.floor is not None and self._score(group, wish, now) < group.floor:
                self._suppress(wish, "not_worth", now)
            else:
                rivals.append(wish)
        drawn = 0
        while rivals and self._slots(group, now) > 0:
            if drawn:
                rivals = [wish for wish in rivals if self._may_go(wish, now)]
            if rivals:
                rivals.sort(key=lambda wish: self._order(group, wish, now))
                winner = self._winner(group, rivals, drawn)
                rivals.remove(winner)
                self.wins += (now,)
                self._win(winner, now)
                drawn += 1
        for wish in rivals:
            self._lose(group, wish, now)

    def _may_go(self, wish: Wish, now: int) -> bool:
        if self._answer(wish, now)[0] is None:
            return True
        self._ask(wish, now)
        return False

    def _score(self, group: Group, wish: Wish, now: int) -> float:
        pane = 240_000 // 64  # of a metric's window
        seen = sum(e.type == "b" and now // pane - 64 < e.time // pane and e.time <= now for e in self.events)
        return wish.trigger.props["n"] - (seen if "metric.bs" in group.score else 0)

    def _order(self, group: Group, wish: Wish, now: int) -> tuple[float, int, str, int, str]:
        activity = wish.activity
        return (-self._score(group, wish, now), -activity.priority, activity.name, wish.at, self._occurrence(wish))

    def _occurrence(self, wish: Wish) -> str:
        return occurrence_id(wish.activity.name, {wish.activity.pattern.steps[0].name: [wish.trigger.id]})

    def _slots(self, group: Group, now: int) -> int:
        return group.choose - sum(now - (group.per or 1) < at <= now for at in self.wins)

    def _winner(self, group: Group, rivals: Sequence[Wish], drawn: int) -> Wish:
        salt = f"matching/g/{self._occurrence(rivals[0])}" + (f"/{drawn}" if drawn else "")
        point = share_of(self.user, salt)
        return rivals[int(point / group.explore * len(rivals))] if point < group.explore else rivals[0]

    def _win(self, wish: Wish, now: int) -> None:
        if wish.ghost:
            self._take_out(wish, now)
        else:
            self._send(wish, self._answer(wish, now)[1][0], now)

    def _lose(self, group: Group, wish: Wish, now: int) -> None:
        limit = wish.activity.limits.send_before
        last = None if limit is None else wish.at + limit
        if group.losers == "drop":
            self._suppress(wish, "outranked:g", now)
        elif last is not None and now >= last:
            self._suppress(wish, "expired", now)
        else:
            self._hold(wish, "outranked:g", now)
            if group.per is None:
                self.closes = wish.until = now + group.collect
                wish.window = True
            else:
                free = next(
                    t for t in sorted(at + group.per for at in self.wins) if t > now and self._slots(group, t) > 0
                )
                wish.until = free if last is None else min(free, last)
