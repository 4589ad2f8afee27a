"""A rule store with a workflow, and what people do at it."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from kairos.adapters.control.database import Control
from kairos.engine.rule.load import load
from kairos.usecases.control import approvals
from kairos.usecases.control.advance import Ask, nobody
from kairos.usecases.control.approvals import Reviewed
from kairos.usecases.control.publish import publish
from kairos.usecases.control.reach import Reach
from kairos.usecases.control.rights import Actor, NotAllowedError
from kairos.usecases.errors import AskError
from kairos.usecases.rules.publish import Proposal, propose, standing

NOW = 1_800_000_000_000


HOUR = 3_600_000


NUDGE = """activity: nudge
title: Nudge
state: live
trigger: {event: visit}
send: [{channel: email, template: t}]
"""


WORKFLOW = """steps: {content: {by: editor}, risk: {by: risk, quorum: 2}, cool: {wait: 1h}, hook: {webhook: "https://x.test/y"}}
paths:
  - {when: 'channel == "sms" or reach > 1000 or caps == []', then: [content, risk]}
  - {when: priority == 1, then: [cool, content]}
  - {when: priority == 2, then: [hook]}
  - {when: is_watch or state == "draft", then: []}
  - {then: [content]}
"""


def actor(name: str, *roles: str) -> Actor:
    return Actor(name, frozenset(roles))


ANN = actor("ann", "author", "reviewer:editor")


EVE, RITA, ROB = actor("eve", "reviewer:editor"), actor("rita", "reviewer:risk"), actor("rob", "reviewer:risk")


OTTO = actor("otto", "operator")


class Desk:
    """One rule store and what people do at it. `now` is set by the test."""

    def __init__(self, tmp_path: Path, store: str | None = None) -> None:
        self.store = store or f"sqlite:///{tmp_path}/rules.db"
        self.control = Control(self.store)
        self.now = NOW
        self.files: dict[str, bytes] = {}
        self.write(NUDGE)

    def write(self, nudge: str, workflow: str = WORKFLOW, **more: str) -> None:
        self.files = {
            "activities/shop/nudge.yaml": nudge.encode(),
            "templates/t.email.liquid": b"hi",
            "templates/t.sms.liquid": b"hi",
            "policy.yaml": b"caps: {marketing: {rules: [{max: 3, per: 1d}]}}\ndefault_caps: [marketing]\n",
            "workflow.yaml": workflow.encode(),
            **{name.replace("__", "/").replace("_yaml", ".yaml"): text.encode() for name, text in more.items()},
        }

    def proposal(self) -> Proposal:
        loaded = load(self.files)
        assert loaded.rules is not None, loaded.findings
        return propose(standing(self.store), loaded.rules, self.now, accept_cold=True)

    def submit(self, who: Actor = ANN) -> dict[str, str]:
        found = approvals.submit(self.control, self.proposal(), {}, who, self.now)
        return {each.subject.name: each.state for each in found}

    def approve(self, who: Actor, subject: str = "nudge", meaning: str | None = None) -> Reviewed:
        return approvals.approve(self.control, subject, meaning, "", who, self.now)

    def publish(self, who: Actor = ANN, emergency: str | None = None) -> Any:
        return publish(self.proposal(), self.store, self.files, who, self.now, Reach(), emergency=emergency)

    def all_of_it(self) -> None:
        """The first release: everything is new, and needs the editor."""
        self.submit()
        for review in approvals.reviews(self.control, self.now):
            while (state := self.review(review.subject)).state == "in_review":
                for who in (EVE, RITA, ROB):
                    try:
                        self.approve(who, state.subject)
                    except (NotAllowedError, AskError):
                        continue

    def review(self, subject: str = "nudge", ask: Ask = nobody) -> Reviewed:
        return next(each for each in approvals.reviews(self.control, self.now, ask) if each.subject == subject)


@cache
def prepared() -> bytes:
    """A rule store whose first release is out, with all approvals; made once, for the making of tables takes most of
    the time."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.all_of_it()
        assert desk.publish().number == 1
        with closing(sqlite3.connect(f"{folder}/rules.db")) as known:
            known.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(folder, "rules.db").read_bytes()


def desk_in(folder: Path) -> Desk:
    """Release 1 is out."""
    (folder / "rules.db").write_bytes(prepared())
    return Desk(folder)
