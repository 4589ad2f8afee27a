"""Every provider against every kind of trouble, over real HTTP and SMTP."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import msgspec
import pytest

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Misconfigured,
    Outcome,
    Rejected,
    Retry,
    Unknown,
)
from kairos.apps.demo.providers.desk import Fault
from tests.channels.channel_kit import KEY, House
from tests.channels.everybody import ADDRESSES, PROVIDERS, kinds, to

OVER_HTTP = [name for name in PROVIDERS if name not in ("smtp", "apprise")]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_message_is_taken(providers: House, provider: str) -> None:
    desk = providers.desk(provider)
    (outcome,) = providers.send(provider, to(provider))
    assert isinstance(outcome, Accepted)
    (taken,) = desk.taken
    assert taken.address == ("13800000000" if provider == "aliyun_sms" else ADDRESSES[provider])
    if provider not in ("apprise", "twilio"):  # the one takes no key; the other has it in the callback's URL
        assert taken.key == KEY
    assert "谢谢" in msgspec.json.encode(taken.message).decode()
    assert outcome.delivered is (provider == "webhook")


@pytest.mark.parametrize("provider", OVER_HTTP)
def test_429_is_tried_again_when_the_provider_says(providers: House, provider: str) -> None:
    desk = providers.desk(provider, Fault("limited", after=7), Fault("limited"))
    first, second = providers.send(provider, to(provider), to(provider))
    assert first == Retry("429", 7_000)
    assert second == Retry("429", None)
    assert desk.taken == []


@pytest.mark.parametrize("provider", ["apprise", "smtp"])
def test_slow_down_without_a_time(providers: House, provider: str) -> None:
    desk = providers.desk(provider, Fault("limited", after=7))
    assert kinds(providers.send(provider, to(provider))) == [Retry]
    assert desk.taken == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_error_of_the_provider_is_tried_again_and_then_goes_well(providers: House, provider: str) -> None:
    desk = providers.desk(provider, Fault("error"))
    assert kinds(providers.send(provider, to(provider), to(provider))) == [Retry, Accepted]
    assert len(desk.taken) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_connection_cut_after_the_message_left_is_unknown(providers: House, provider: str) -> None:
    desk = providers.desk(provider, Fault("cut"))
    assert kinds(providers.send(provider, to(provider), to(provider))) == [Unknown, Accepted]
    assert len(desk.taken) == 2  # the first was taken too: only a key that the provider heeds makes it one


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_connection_cut_before_the_message_was_taken(providers: House, provider: str) -> None:
    """Over HTTP nobody can tell; SMTP's steps say that the content had not been sent."""
    desk = providers.desk(provider, Fault("dropped"))
    assert kinds(providers.send(provider, to(provider))) == [Retry if provider == "smtp" else Unknown]
    assert desk.taken == []


def test_no_answer_in_time_is_unknown(providers: House) -> None:
    """All at once, because each waits for the whole time-out."""
    desks = [providers.desk(provider, Fault("slow")) for provider in PROVIDERS]

    async def run() -> list[Outcome]:
        # opened before the time runs: what one of them imports must not keep the others from connecting
        channels = {provider: providers.channel(provider, timeout=5_000) for provider in PROVIDERS}
        outcomes = await asyncio.gather(*(channel.send(to(provider)) for provider, channel in channels.items()))
        for channel in channels.values():
            await channel.close()
        return outcomes

    outcomes = dict(zip(PROVIDERS, asyncio.run(run()), strict=True))
    assert {provider: type(outcome) for provider, outcome in outcomes.items()} == dict.fromkeys(PROVIDERS, Unknown)
    assert [len(desk.taken) for desk in desks] == [1] * len(desks)


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        ("twilio", Unknown),
        ("aliyun_sms", Unknown),
        ("fcm", Unknown),
        ("wechat", Unknown),
        ("webhook", Accepted),  # what stands in the body is the receiver's own affair
        ("apprise", Accepted),
        ("smtp", Unknown),
    ],
)
def test_an_answer_that_cannot_be_read(providers: House, provider: str, kind: type) -> None:
    desk = providers.desk(provider, Fault("garbled"))
    assert kinds(providers.send(provider, to(provider))) == [kind]
    assert len(desk.taken) == 1


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        ("twilio", Misconfigured),
        ("aliyun_sms", Misconfigured),
        ("fcm", Accepted),  # a new access token is fetched, and the call repeated
        ("wechat", Accepted),
        ("webhook", Misconfigured),
        ("apprise", Misconfigured),
        ("smtp", Misconfigured),
    ],
)
def test_credentials_that_hold_no_longer(providers: House, provider: str, kind: type) -> None:
    desk = providers.desk(provider, Fault("expired"))
    assert kinds(providers.send(provider, to(provider))) == [kind]
    assert len(desk.taken) == (kind is Accepted)


@pytest.mark.parametrize(
    ("provider", "options"),
    [
        ("twilio", {"token": {"env": "WRONG"}}),
        ("aliyun_sms", {"access_secret": {"env": "WRONG"}}),
        ("wechat", {"secret": {"env": "WRONG"}}),
        ("webhook", {"secret": {"env": "WRONG_KEY"}}),
        ("smtp", {"password": {"env": "WRONG"}}),
    ],
)
def test_wrong_credentials(
    providers: House, provider: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG", "wrong-secret")
    monkeypatch.setenv("WRONG_KEY", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    desk = providers.desk(provider)
    (outcome,) = providers.send(provider, to(provider), **options)
    assert isinstance(outcome, Misconfigured)
    assert "wrong-secret" not in outcome.reason
    assert desk.taken == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_repeat_carries_the_same_key(providers: House, provider: str) -> None:
    desk = providers.desk(provider)
    options = {"status_callback": "https://shop.example/callbacks/sms"} if provider == "twilio" else {}
    repeated = to(provider, key="ab" * 16)
    first, second = providers.send(provider, repeated, repeated, **options)
    assert kinds([first, second]) == [Accepted, Accepted]
    if provider in ("wechat", "webhook"):
        assert [taken.sent for taken in desk.taken] == [True, False]
        assert first == second
    if provider != "apprise":
        assert [taken.key for taken in desk.taken] == ["ab" * 16] * 2


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "apprise"])
def test_nobody_there_is_tried_again(providers: House, provider: str) -> None:
    with socket.socket() as reserved:  # bound and not listening: the port answers nobody
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        options = {"smtp": {"port": port}, "webhook": {"url": base}}.get(provider, {"base_url": base})
        (outcome,) = providers.send(provider, to(provider), **options)
    assert isinstance(outcome, Retry)


def test_apprise_does_not_say_that_nobody_was_there(providers: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NOBODY", f"json://127.0.0.1:{reserved.getsockname()[1]}/x")
        assert providers.send("apprise", to("apprise"), url={"env": "NOBODY"}) == [Unknown("apprise gave no reason")]


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "webhook"])
def test_a_message_without_an_address_is_refused_before_any_call(providers: House, provider: str) -> None:
    desk = providers.desk(provider)
    assert kinds(providers.send(provider, to(provider, address=None))) == [Rejected]
    assert desk.taken == []


def test_a_webhook_may_go_to_the_message_s_own_address(providers: House) -> None:
    url = f"{providers.opened.http}/webhook"
    desk = providers.desk("webhook", Fault("fine"), Fault("refused", code="410"))
    addresses = (url, url, "here", None)
    messages = [to("webhook", address=address) for address in addresses]
    outcomes = providers.send("webhook", *messages, url=None, allow=["127.0.0.0/8"])
    assert outcomes[:2] == [Accepted(delivered=True), DeadAddress("410 gone")]
    assert kinds(outcomes[2:]) == [Rejected, Rejected]
    assert len(desk.taken) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_whatever_happens_no_secret_is_told(providers: House, provider: str, caplog: pytest.LogCaptureFixture) -> None:
    kinds_of_trouble = ("limited", "error", "cut", "dropped", "garbled", "expired")
    faults = [Fault(kind) for kind in kinds_of_trouble] + [Fault("refused", code=_refusal(provider))]
    providers.desk(provider, *faults)
    with caplog.at_level("DEBUG"):
        outcomes = providers.send(provider, *[to(provider)] * len(faults))
    assert len({type(outcome) for outcome in outcomes}) >= 3
    # The stand-in shares this process; its own log is not the client's.
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    told = "\n".join([*lines, *map(repr, outcomes)])
    world = providers.world
    for secret in (*world.secrets.values(), *world.tokens.values(), "BEGIN PRIVATE KEY"):
        assert secret not in told


def _refusal(provider: str) -> str:
    codes = {"twilio": "21408", "aliyun_sms": "isv.X", "fcm": "INVALID_ARGUMENT", "wechat": "47003", "smtp": "554 no"}
    return codes.get(provider, "422")
