"""Dead letters of delivery, sent again: only what has failed, only while it still makes sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from kairos.adapters.channels.channel import Accepted, Rejected, Retry
from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.output.dead_letters import Found, NotReplayableError, found_in, of_folder
from kairos.apps.commands.operation.dead_letters import app
from kairos.usecases.operation.dead_letters import Wanted, causes, reopened
from tests.delivery.kit import BASE, HOUR, ListMailbox, Script, World, delivery
from tests.delivery.virtual_loop import run


def failed(world: World) -> Found:
    run(world.deliver(delivery()))
    (post,) = (post for post in world.posts if post.topic.startswith("dead-letters"))
    found = found_in("dead-letters.sms/0@0", post.topic, post.value)
    assert found is not None
    assert (found.channel, found.user, found.activity) == ("sms", "u1", "nudge")
    return found


def again(world: World, found: Found, now: int = BASE) -> None:
    post = reopened(found, world.ledger, now)
    assert (post.topic, post.key, post.timestamp) == ("deliveries.sms", "u1", BASE)
    mailbox = ListMailbox([(0, [Parcel("deliveries.sms", 0, 9, post.key, post.value, post.timestamp)])])
    run(world.worker(mailbox, "w2").run())


def test_a_failed_delivery_goes_again_with_the_same_key() -> None:
    world = World(Script([Rejected("template not approved"), Accepted()]))
    again(world, failed(world))
    assert [message.key for _, message in world.provider.calls] == [*world.ledger.rows] * 2
    assert world.states() == {"u1": "sent"}
    assert [status for _, status, _ in world.receipts()] == ["failed", "sent"]


def test_its_tries_count_anew() -> None:
    world = World(Script([Retry("busy")] * 4 + [Accepted()]), attempts=3)
    again(world, failed(world))
    assert world.states() == {"u1": "sent"}
    assert len(world.provider.calls) == 5


def test_twice_is_harmless() -> None:
    world = World(Script([Rejected("no"), Accepted()]))
    found = failed(world)
    reopened(found, world.ledger, BASE)
    again(world, found)
    assert len(world.provider.calls) == 2


def test_what_is_not_failed_any_more_is_refused() -> None:
    world = World(Script([Rejected("no"), Accepted()]))
    found = failed(world)
    again(world, found)
    with pytest.raises(NotReplayableError, match=r"only what has failed .* is 'sent'"):
        reopened(found, world.ledger, BASE)


def test_what_is_too_late_or_unknown_to_the_ledger_is_refused() -> None:
    world = World(Script([Rejected("no")]))
    found = failed(world)
    with pytest.raises(NotReplayableError, match="its time is over"):
        reopened(found, world.ledger, BASE + HOUR + 1)
    with pytest.raises(NotReplayableError, match="the ledger has no row"):
        reopened(found, World().ledger, BASE)
    assert world.states() == {"u1": "failed"}


def letter(origin: str = "events.shop/1@7", **more: Any) -> bytes:
    fields = {"reason": "not_json", "message": "why", "ts": 5, "key": "u1", "value": "{broken", "size": 7, **more}
    return msgspec.json.encode({"origin": origin, **fields})


def event(**more: Any) -> Found:
    found = found_in("dead-letters/0@1", "dead-letters", letter(**more))
    assert found is not None
    return found


def test_an_event_goes_to_where_it_came_from_as_it_was() -> None:
    post = reopened(event(value="/wA=", encoding="base64"), World().ledger, BASE)
    assert (post.topic, post.key, post.value, post.timestamp) == ("events.shop", "u1", b"\xff\x00", 5)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (event(truncated=True, size=2_000_000), "only a part of its 2,000,000 bytes was kept"),
        (event(origin="line 12"), "it came from 'line 12', which is no topic"),
    ],
)
def test_what_cannot_be_had_back_is_refused(found: Found, message: str) -> None:
    with pytest.raises(NotReplayableError, match=message):
        reopened(found, World().ledger, BASE)


def test_which_letters_are_wanted() -> None:
    world = World(Script([Rejected("no")]))
    of_delivery, of_event = failed(world), event()
    assert of_delivery in Wanted(channel="sms", reason="rejected", activity="nudge", user="u1")
    assert of_event in Wanted(user="u1", places=frozenset({"dead-letters/0@1"}))
    for wanted in (Wanted(channel="push"), Wanted(reason="x"), Wanted(activity="x"), Wanted(user="u2")):
        assert of_delivery not in wanted
        assert of_event not in wanted
    assert Wanted().anything
    assert not Wanted(user="u1").anything
    assert not Wanted(since=1).anything
    assert of_event in Wanted(since=of_event.letter.ts)
    assert of_event not in Wanted(since=of_event.letter.ts + 1)


def test_what_most_are_dead_of_is_told_first_with_the_newest(tmp_path: Path) -> None:
    for topic, reason, at in (
        ("dead-letters", "late", 5),
        ("dead-letters.sms", "rejected", 3),
        ("dead-letters", "late", 9),
    ):
        with (tmp_path / f"{topic}.jsonl").open("ab") as file:
            file.write(letter(reason=reason, ts=at) + b"\n")
    found = causes(of_folder(tmp_path))
    assert [(each.channel, each.reason, each.n, each.newest.letter.ts) for each in found] == [
        (None, "late", 2, 9),
        ("sms", "rejected", 1, 3),
    ]

    def listed(*words: str) -> list[list[str]]:
        done = CliRunner().invoke(app, ["list", "--run", str(tmp_path), "--by-reason", *words])
        assert done.exit_code == 0, done.output
        return [line.split()[:2] for line in done.stdout.splitlines()]

    assert listed("--since", "1970-01-01") == [["2", "events"], ["1", "sms"]]
    assert listed("--since", "2h") == []
    assert CliRunner().invoke(app, ["list", "--run", str(tmp_path), "--since", "soon"]).exit_code == 2


def test_those_of_a_run_on_files_are_listed(tmp_path: Path) -> None:
    part = tmp_path / "parts" / "topic=dead-letters" / "part-0"
    part.parent.mkdir(parents=True)
    part.write_bytes(letter(origin="line 3") + b"\n" + letter(origin="line 4", reason="late", key="u\x1b2") + b"\n")
    body = msgspec.json.encode(delivery()).decode()
    (tmp_path / "dead-letters.sms.jsonl").write_bytes(
        letter("deliveries.sms/0@1", reason="content", value=body) + b"\n"
    )
    assert [found.channel for found in of_folder(tmp_path)] == [None, None, "sms"]

    listed = CliRunner().invoke(app, ["list", "--run", str(tmp_path), "--reason", "late"])
    assert listed.exit_code == 0, listed.output
    assert listed.stdout == f"{part}:2  1970-01-01 00:00:00  late  u\\x1b2  why\n"
    listed = CliRunner().invoke(app, ["list", "--run", str(tmp_path), "--channel", "sms", "--json"])
    assert json.loads(listed.stdout)["note"]["activity"] == "nudge"


def test_a_replay_of_everything_has_to_be_said() -> None:
    done = CliRunner().invoke(app, ["replay"])
    assert done.exit_code == 2
    assert "--all" in done.stderr


@pytest.mark.parametrize("arguments", [["--run", "nowhere"], ["--conf", "nowhere.yaml"]])
def test_what_is_not_there_is_said(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["list", *arguments])
    assert done.exit_code == 2
    assert "nowhere" in done.stderr
