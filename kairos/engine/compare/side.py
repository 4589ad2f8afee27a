"""One side of a comparison: its rules, and what they decided."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from kairos.engine.compare.verdict import Verdict
from kairos.engine.decision import Record
from kairos.engine.rule.model import RuleSet, Send

_RENDERED = re.compile(r"{%-?\s*render\s+['\"]([^'\"]+)['\"]")


class Side:
    """`verdicts`: of one run over the events that both sides have in common. `others`: sends that are not compared, and
    use up caps."""

    def __init__(self, rules: RuleSet, verdicts: Sequence[Verdict], others: Sequence[Record] = ()) -> None:
        self.rules = rules
        self.verdicts = verdicts
        self._others = others
        self._beyond: dict[str, list[Record]] = {}

    @cached_property
    def sends(self) -> Mapping[str, list[Record]]:
        """User -> her sends, by time."""
        found: defaultdict[str, list[Record]] = defaultdict(list)
        for record in (*(verdict.record for verdict in self.verdicts), *self._others):
            if record.outcome == "send":
                found[record.user_id].append(record)
        for records in found.values():
            records.sort(key=lambda record: (record.at, record.activity, record.occurrence))
        return found

    def sends_beyond(self, other: Side, activity: str) -> list[Record]:
        """The activity's sends that the other side does not have, by time."""
        if activity not in self._beyond:
            known = {(one.user_id, one.occurrence) for one in other._sends_of(activity)}
            extra = [one for one in self._sends_of(activity) if (one.user_id, one.occurrence) not in known]
            self._beyond[activity] = sorted(extra, key=lambda one: (one.at, one.user_id, one.occurrence))
        return self._beyond[activity]

    def _sends_of(self, activity: str) -> list[Record]:
        return [one for sends in self.sends.values() for one in sends if one.activity == activity]

    def entries(self, activity: str) -> tuple[Send, ...]:
        """What the activity tries, over all its variants; () where there is no such activity."""
        spec = self.rules.activities.get(activity)
        if spec is None:
            return ()
        return spec.send or tuple(send for variant in spec.variants for send in variant.send)

    def text(self, record: Record) -> tuple[str, ...]:
        """The texts that the record's template is made of, what it renders included."""
        found: dict[str, str] = {}
        wanted = [f"{record.template}.{record.channel}"]
        while wanted:
            key = wanted.pop()
            if key not in found and key in self.rules.templates:
                found[key] = self.rules.templates[key]
                wanted += _RENDERED.findall(found[key])
        return tuple(found.values())
