"""Approvals: who has to agree to what, told apart by content, and what a release without them does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.control.approvals import LAPSE_MS, Approvals
from kairos.adapters.rules import history as kept
from kairos.adapters.rules.store import open_rule_store
from kairos.engine.rule.release import decode
from kairos.usecases.control import approvals
from kairos.usecases.control.advance import Answer
from kairos.usecases.control.history import changed, diff, history, release
from kairos.usecases.control.publish import NotApprovedError, publish
from kairos.usecases.control.reach import Reach
from kairos.usecases.control.rights import Actor, NotAllowedError
from kairos.usecases.control.verify import verify
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.rules.publish import propose, standing
from tests.unit.control.desk import ANN, EVE, HOUR, NOW, NUDGE, OTTO, RITA, ROB, Desk, actor


def test_nothing_goes_out_before_all_have_agreed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with pytest.raises(NotApprovedError, match="nudge is draft, and needs content"):
        desk.publish()
    assert desk.submit() == {
        "nudge": "in_review", "policy.yaml": "in_review", "workflow.yaml": "in_review",
    }  # fmt: skip
    desk.approve(EVE)
    with pytest.raises(NotApprovedError, match=r"policy\.yaml is in_review"):
        desk.publish()
    desk.all_of_it()
    assert desk.publish().number == 1
    assert verify(desk.store).problems == []


def test_steps_go_in_their_order_each_with_its_own_people_and_quorum(desk: Desk) -> None:
    desk.write(NUDGE.replace("email", "sms"))
    assert desk.submit() == {"nudge": "in_review"}
    with pytest.raises(NotAllowedError, match="rita may not decide in step content: it takes the role reviewer:editor"):
        desk.approve(RITA)
    assert (desk.approve(EVE).open, desk.approve(RITA).open) == ("risk", "risk")
    with pytest.raises(NotAllowedError, match="rita has decided in step risk already"):
        desk.approve(RITA)
    assert desk.approve(ROB).state == "approved"
    with pytest.raises(AskError, match="nudge is approved: there is nothing to decide"):
        desk.approve(ROB)
    assert desk.publish().number == 2


def test_reviewers_see_what_changes_of_the_subject_with_its_texts_and_nothing_else(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n", **{"templates__t.email.liquid": "bye", "metrics_yaml": "n: {count: visit}\n"})
    desk.submit()
    seen = {
        each.subject: Approvals(desk.control).submission(each.number).plan
        for each in approvals.reviews(desk.control, NOW)
    }
    flight = "matches in flight: kept, and go on under the new definition (on_change: keep)"
    assert seen["nudge"] == ["activities.nudge.priority: 50 -> 60", 'templates.t.email: "hi" -> "bye"', flight]
    assert [line.partition(":")[0] for line in seen["shared"]] == ["metrics.n"]


def test_reviewers_see_the_whole_of_a_text_by_its_lines(desk: Desk) -> None:
    long = "x" * 5_000
    for text, said in (
        (long + "y", [f'templates.t.email: "hi" -> "{long}y"']),
        (f"hi\n{long}\nbye", ["templates.t.email:", "  @@ -1 +1,3 @@", "   hi", f"  +{long}", "  +bye"]),
    ):
        desk.write(NUDGE, **{"templates__t.email.liquid": text})
        desk.submit()
        assert Approvals(desk.control).submission(desk.review().number).plan[: len(said)] == said


def test_nobody_agrees_to_their_own_whoever_else_submits_it_too(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.submit(ANN)
    with pytest.raises(NotAllowedError, match="ann has submitted it"):
        desk.approve(ANN)
    approvals.reject(desk.control, "nudge", None, "no", EVE, desk.now)
    desk.now += 1
    desk.submit(actor("bob", "author"))
    with pytest.raises(NotAllowedError, match="ann has submitted it"):
        desk.approve(ANN)


def test_a_change_of_meaning_voids_an_approval_and_a_title_does_not(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.submit()
    desk.approve(EVE)
    desk.write(NUDGE.replace("title: Nudge", "title: Better\nowner: x  # said") + "priority: 60\n")
    assert desk.submit() == {"nudge": "approved"}
    for text in (NUDGE + "priority: 61\n", NUDGE.replace("live", "paused") + "priority: 60\n"):
        desk.write(text)
        with pytest.raises(NotApprovedError):
            desk.publish()
    desk.write(NUDGE + "priority: 60\nrollout: 10%\n")
    with pytest.raises(NotApprovedError):
        desk.publish()
    desk.write(NUDGE + "priority: 60\n", **{"templates__t.email.liquid": "bye"})
    with pytest.raises(NotApprovedError):
        desk.publish()


def test_an_approval_of_what_followed_another_release_is_none(desk: Desk) -> None:
    first, second = NUDGE + "priority: 60\n", NUDGE + "priority: 70\n"
    for text in (first, second):
        desk.write(text)
        desk.submit()
        desk.approve(EVE)
    assert desk.publish().number == 2
    desk.write(first)
    with pytest.raises(NotApprovedError):
        desk.publish()


def test_an_approval_lapses(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.submit()
    desk.approve(EVE)
    desk.now += LAPSE_MS
    with pytest.raises(NotApprovedError, match="nudge is lapsed"):
        desk.publish()
    assert desk.submit() == {"nudge": "in_review"}


def test_what_was_submitted_after_one_looked_is_not_approved(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.submit()
    seen = desk.review().meaning
    desk.write(NUDGE + "priority: 61\n")
    desk.submit()
    with pytest.raises(AskError, match="was submitted again"):
        desk.approve(EVE, meaning=seen[:12])
    assert desk.approve(EVE, meaning=desk.review().meaning[:12]).state == "approved"


def test_what_is_sent_back_says_why_and_can_be_submitted_again(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.submit()
    with pytest.raises(AskError, match="--comment"):
        approvals.reject(desk.control, "nudge", None, " ", EVE, desk.now)
    assert approvals.reject(desk.control, "nudge", None, "no", EVE, desk.now).state == "rejected"
    with pytest.raises(NotApprovedError, match="nudge is rejected"):
        desk.publish()
    desk.now += 1
    assert desk.submit() == {"nudge": "in_review"}


def test_a_draft_needs_nobody_and_going_live_does(desk: Desk) -> None:
    more = {"activities__shop__other_yaml": NUDGE.replace("nudge", "other").replace("live", "draft")}
    desk.write(NUDGE, **more)
    assert desk.publish().number == 2
    desk.write(NUDGE, activities__shop__other_yaml=NUDGE.replace("nudge", "other"))
    with pytest.raises(NotApprovedError, match="other is draft, and needs content"):
        desk.publish()


def test_the_workflow_that_is_published_has_its_say_on_the_next_one(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n", "steps: {}\npaths: [{then: []}]\n")
    with pytest.raises(NotApprovedError) as raised:
        desk.publish()
    assert [each.subject.name for each in raised.value.standings] == ["nudge", "workflow.yaml"]


def test_time_and_other_systems_decide_by_themselves(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 1\n")
    desk.submit()
    assert desk.review().open == "cool"
    with pytest.raises(NotAllowedError, match="step cool is not for people to decide"):
        desk.approve(EVE)
    desk.now += HOUR
    assert desk.review().open == "content"
    desk.write(NUDGE + "priority: 2\n")
    desk.submit()
    asked: list[Any] = []
    answers = [None, Answer("rejected", "not on Fridays")]

    def ask(url: str, body: Any) -> Answer | None:
        asked.append((url, body["subject"]))
        return answers.pop(0)

    states = [desk.review(ask=ask).state for _ in range(2)]
    assert (states, asked) == (["in_review", "rejected"], [("https://x.test/y", "nudge")] * 2)


def test_an_earlier_release_comes_back_as_a_new_one(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.all_of_it()
    desk.publish()
    assert [each.field for each in diff(desk.store, 1, 2)] == ["activities.nudge.priority"]
    old = propose(standing(desk.store), release(desk.store, 1).rules, desk.now)
    assert publish(old, desk.store, None, OTTO, desk.now, Reach(), emergency="2 is wrong").number == 3
    assert diff(desk.store, 1, 3) == []
    told = [each.what for each in history(desk.store, "nudge")]
    assert told.count("published") == 3
    with pytest.raises(NotThereError):
        history(desk.store, "nobody")


def test_a_release_that_changed_a_text_alone_has_changed_what_sends_it(desk: Desk) -> None:
    other = {"activities__shop__other_yaml": NUDGE.replace("nudge", "other").replace("email, template: t", "console")}
    desk.write(NUDGE, **{"templates__t.email.liquid": "bye"}, **other)
    desk.all_of_it()
    desk.publish()
    found = changed(desk.store, "nudge")
    assert found is not None
    assert (found.before, found.number) == (1, 2)
    assert [(each.field, each.before, each.after) for each in found.differences] == [("templates.t.email", "hi", "bye")]
    assert [each.field for each in changed(desk.store, "other", 2).differences] == ["activities.other"]  # type: ignore[union-attr]
    assert changed(desk.store, "nudge", 1) is None


def test_a_text_that_an_activity_sends_no_more_is_shown_with_it(desk: Desk) -> None:
    desk.write(NUDGE.replace("email, template: t", "console"))
    del desk.files["templates/t.email.liquid"], desk.files["templates/t.sms.liquid"]
    assert desk.submit() == {"nudge": "in_review"}
    plan = Approvals(desk.control).submission(desk.review().number).plan
    assert 'templates.t.email: "hi" -> nothing' in plan


def test_what_changed_last_is_found_without_reading_all_releases(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for priority in (60, 70, 80):
        desk.write(NUDGE + f"priority: {priority}\n")
        desk.all_of_it()
        desk.publish()
    read = []
    monkeypatch.setattr(kept, "decode", lambda body: (read.append(body), decode(body))[1])
    assert changed(desk.store, "nudge").number == 4  # type: ignore[union-attr]
    assert len(read) == 2
    assert changed(desk.store, "nudge", 3).before == 2  # type: ignore[union-attr]
    assert len(read) == 4
    assert release(desk.store, 1).number == 1
    assert len(read) == 5


def test_a_store_without_users_asks_for_approvals_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path, str(tmp_path / "folder"))
    desk.submit(Actor("ann"))
    with pytest.raises(NotAllowedError, match="ann has submitted it"):
        desk.approve(Actor("ann"))
    for subject in ("nudge", "policy.yaml", "workflow.yaml"):
        while desk.review(subject).state == "in_review":
            taken = {vote.decided_by for vote in desk.review(subject).votes}
            desk.approve(Actor(next(name for name in ("eve", "rita", "rob") if name not in taken)), subject)
    number = desk.publish(Actor("ann")).number
    assert open_rule_store(desk.store).latest(0).number == number  # type: ignore[union-attr]
