"""Whatever people do in whatever order: what goes out was agreed to by all who had to, judged by a slow twin.

The twin keeps every deed and looks at all of them anew for each question; it knows of no rows, hashes and machines.
"""

from __future__ import annotations

import operator
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kairos.adapters.control.approvals import LAPSE_MS
from kairos.usecases.control import approvals
from kairos.usecases.control.publish import NotApprovedError
from kairos.usecases.control.rights import NotAllowedError
from kairos.usecases.control.verify import verify
from kairos.usecases.errors import AskError, NotThereError
from tests.unit.control.desk import NUDGE, WORKFLOW, actor, desk_in

ROLES = {
    "ann": ("author", "reviewer:editor", "reviewer:risk"),
    "bob": ("author", "reviewer:risk"),
    "eve": ("reviewer:editor",),
    "rob": ("reviewer:risk",),
    "ed": ("author", "reviewer:content", "reviewer:risk"),
}
PEOPLE = {name: actor(name, *roles) for name, roles in ROLES.items()}
TEXTS = {
    "mail": (NUDGE + "priority: 60\n", ("content",)),
    "mail, other words": (NUDGE.replace("title: Nudge", "title: Hello") + "priority: 60 # said\n", ("content",)),
    "sms": (NUDGE.replace("email", "sms"), ("content", "risk", "risk")),
    "sms, less": (NUDGE.replace("email", "sms") + "priority: 40\n", ("content", "risk", "risk")),
}
SAME = {"mail, other words": "mail"}
MAY = {"content": ("reviewer:editor", "reviewer:content"), "risk": ("reviewer:risk",)}


@dataclass
class Asked:
    """A submission: of what, after which release, by whom and when; who has said what in which slot."""

    what: str
    after: int
    who: str
    at: int
    said: list[tuple[str, str, int]] = field(default_factory=list)  # (who, approve | reject, when)


class Twin:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.live, self.releases = "", 1

    def state(self, one: Asked, now: int) -> str:
        slots = TEXTS[one.what][1]
        approved = [word for word in one.said if word[1] == "approve"]
        if any(word[1] == "reject" for word in one.said):
            return "rejected"
        times = [when for _, _, when in one.said] + ([one.at] if len(approved) < len(slots) else [])
        if now >= min(times) + LAPSE_MS:
            return "lapsed"
        return "approved" if len(approved) == len(slots) else "in_review"

    def newest(self, what: str) -> Asked | None:
        return next((one for one in reversed(self.asked) if (one.what, one.after) == (what, self.basis)), None)

    @property
    def basis(self) -> int:
        """What is out decides what becomes of it."""
        return self.releases

    def submit(self, what: str, who: str, now: int) -> None:
        known = self.newest(what)
        if what != self.live and (known is None or self.state(known, now) in ("rejected", "lapsed")):
            self.asked.append(Asked(what, self.basis, who, now))

    def decide(self, who: str, word: str, now: int) -> bool:
        if not self.asked:
            return False
        one = self.asked[-1]
        slots = TEXTS[one.what][1]
        if self.state(one, now) != "in_review":
            return False
        step = slots[len(one.said)]
        mine = [name for place, (name, _, _) in enumerate(one.said) if slots[place] == step]
        submitted = {each.who for each in self.asked if each.what == one.what}
        if not set(MAY[step]) & set(ROLES[who]) or who in submitted or who in mine:
            return False
        one.said.append((who, word, now))
        return True

    def publish(self, what: str, now: int) -> bool:
        one = self.newest(what)
        if what == self.live:
            return True
        if one is None or self.state(one, now) != "approved":
            return False
        self.live, self.releases = what, self.releases + 1
        return True


DEEDS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(["ann", "bob", "ed"]), st.sampled_from(sorted(TEXTS))),
    st.tuples(st.just("approve"), st.sampled_from(sorted(PEOPLE)), st.just("")),
    st.tuples(st.just("approve"), st.sampled_from(sorted(PEOPLE)), st.just("")),
    st.tuples(st.just("reject"), st.sampled_from(sorted(PEOPLE)), st.just("")),
    st.tuples(st.just("publish"), st.sampled_from(["ann", "bob"]), st.sampled_from(sorted(TEXTS))),
    st.tuples(st.just("wait"), st.just(""), st.sampled_from(["1", "7"])),
)


BEGINNINGS: list[list[tuple[str, str, str]]] = [
    [],
    [("submit", "ann", "sms"), ("approve", "eve", "")],
    [("submit", "bob", "sms"), ("approve", "ed", "")],
]
"""Some begin where two are asked at once: few would ever come there."""


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@example([*BEGINNINGS[1], ("approve", "rob", ""), ("approve", "rob", ""), ("publish", "ann", "sms")])
@given(st.builds(operator.add, st.sampled_from(BEGINNINGS), st.lists(DEEDS, min_size=3, max_size=12)))
def test_what_goes_out_was_agreed_to_by_all_who_had_to(deeds: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk, twin = desk_in(Path(folder)), Twin()
        for deed, who, what in deeds:
            desk.now += 1 if deed != "wait" else int(what) * LAPSE_MS // 7
            expected, done = True, True
            name = SAME.get(what, what)
            if deed in ("submit", "publish"):
                desk.write(TEXTS[what][0], WORKFLOW)
            try:
                if deed == "submit":
                    twin.submit(name, who, desk.now)
                    expected = name != twin.live
                    desk.submit(PEOPLE[who])
                elif deed == "publish":
                    expected = twin.publish(name, desk.now)
                    if not desk.proposal().change.empty:
                        desk.publish(PEOPLE[who])
                elif deed != "wait":
                    expected = twin.decide(who, deed, desk.now)
                    word = getattr(approvals, deed)
                    word(desk.control, "nudge", None, "said", PEOPLE[who], desk.now)
            except (NotAllowedError, NotApprovedError, AskError, NotThereError):
                done = False
            assert done == expected, (deed, who, what, desk.now)
        assert verify(desk.store).problems == []
        desk.control.__exit__()
