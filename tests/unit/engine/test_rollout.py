"""`rollout`: who has which version, when it is over, and what a release knows of it."""

from __future__ import annotations

from kairos.engine.decision import share_of
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.rule.changes.rollout import rollouts_of
from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.changes.switch import Switches, Turn
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.reads.needs import needs_of
from kairos.engine.rule.release import Release, activity_version
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, MINUTE, program_of, rules
from tests.unit.engine.live_user import told

OLD = "activity: a\nstate: live\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"
NEW = OLD.replace("state: live", "state: live\nrollout: 50%").replace("sms", "email")
USERS = [f"u{number}" for number in range(20)]
INSIDE = [user for user in USERS if share_of(user, "a/rollout") < 0.5]


def released(first: str, *later: str) -> Release:
    release = succeed(None, rules(first), BASE)
    for text in later:
        release = succeed(release, rules(text) if text else RuleSet(), BASE)
    return release


def channels(release: Release, switches: Switches | None = None, at: int = BASE) -> dict[str, list[str]]:
    """User -> what comes of an order at this time."""
    engine = Engine(Settings())
    engine.adopt(program_of(release.rules, before=release.before))
    engine.heed(switches or Switches())
    found = {}
    for user in USERS:
        order = Event("e1", "order", at, "", {}, user)
        found[user] = [text.split(" ", 1)[1] for text in told(engine.on_event(user, UserState(), order, at + MINUTE))]
    return found


def test_a_share_has_the_new_version_and_the_others_the_one_before() -> None:
    found = channels(released(OLD, NEW))
    assert 5 < len(INSIDE) < 15
    for user in USERS:
        assert found[user] == (["a send email"] if user in INSIDE else ["a send sms"])


def test_once_it_is_ended_everyone_has_the_one_before() -> None:
    release = released(OLD, NEW)
    (rollout,) = rollouts_of(release)
    assert rollout.key == f"a@{activity_version(release.rules.activities['a'])}"
    over = Switches(1, {rollout.key: (Turn(1, BASE + MINUTE, "ended"),)})
    assert channels(release, over)[INSIDE[0]] == ["a send email"], "not before it was ended"
    after = channels(release, over, BASE + MINUTE)
    assert set(map(tuple, after.values())) == {("a send sms",)}


def test_of_a_new_activity_the_others_have_nothing() -> None:
    found = channels(released(OLD.replace("activity: a", "activity: b"), NEW))
    assert found[INSIDE[0]] == ["a send email"]
    assert all(found[user] == [] for user in USERS if user not in INSIDE)


def test_through_further_releases_the_others_keep_the_last_that_was_everyone_s() -> None:
    again = NEW.replace("email", "push")
    release = released(OLD, NEW, again)
    assert release.before == {"a": rules(OLD).activities["a"]}
    whole = succeed(release, rules(again.replace("rollout: 50%\n", "")), BASE)
    assert whole.before == {}
    assert set(map(tuple, channels(whole).values())) == {("a send push",)}


def test_a_share_of_what_is_everyone_s_already_is_everyone_s() -> None:
    release = released(OLD, OLD.replace("state: live", "state: live\nrollout: 50%"))
    assert release.before == {}
    assert rollouts_of(release) == ()
    assert released(NEW).before == {}, "of the first release nothing is known before"


def test_whoever_pauses_it_means_all_of_it() -> None:
    found = channels(released(OLD, NEW.replace("state: live", "state: paused")))
    assert set(map(tuple, found.values())) == {("a suppress paused",)}
    draft = channels(released(OLD.replace("state: live", "state: draft"), NEW))
    assert draft[INSIDE[0]] == ["a send email"]


def test_what_the_version_before_listens_to_and_reads_is_heard_and_fetched() -> None:
    old = OLD.replace("event: order", "event: visit, where: profile.level > 2")
    release = released(old, NEW)
    program = program_of(release.rules, before=release.before)
    engine = Engine(Settings())
    engine.adopt(program)
    assert engine.reads("visit")
    assert "level" in (needs_of(program).fields or ())
