"""What each provider is told, field by field; access tokens; connections that fail before anything has left."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kairos.adapters.channels.channel import Accepted, DeadAddress, Misconfigured, Outcome, Retry
from kairos.adapters.channels.fcm import _outcome
from kairos.adapters.channels.http_call import Reply, retry_after
from kairos.adapters.channels.parameters import parameters_of
from kairos.adapters.channels.providers import ChannelSettingsError
from kairos.apps.demo.providers.desk import Fault
from tests.channels.channel_kit import KEY, NOW, House, message

LINES = "thing: tea: green\n  note : 谢谢 \nand more\n\nnot a name: x"


def test_twilio_is_told(providers: House) -> None:
    desk = providers.desk("twilio")
    providers.send("twilio", message(), status_callback="https://shop.example/callbacks/sms/")
    assert desk.taken[0].message == {
        "To": "+8613800000000",
        "From": "+15005550006",
        "Body": "Your order 订单 O-1 waits.",
        "StatusCallback": f"https://shop.example/callbacks/sms?key={KEY}",
    }


def test_twilio_s_messaging_service(providers: House) -> None:
    desk = providers.desk("twilio")
    providers.send("twilio", message(), sender="MG1")
    assert desk.taken[0].message["MessagingServiceSid"] == "MG1"
    assert "From" not in desk.taken[0].message


@pytest.mark.parametrize(("address", "number"), [("+8613800000000", "13800000000"), ("+85251234567", "85251234567")])
def test_aliyun_is_told(providers: House, address: str, number: str) -> None:
    desk = providers.desk("aliyun_sms")
    providers.send("aliyun_sms", message(address=address, text=LINES, headers={"template_code": "SMS_2"}))
    assert desk.taken[0].message == {
        "PhoneNumbers": number,
        "SignName": "示例",
        "TemplateCode": "SMS_2",
        "TemplateParam": '{"thing":"tea: green","note":"谢谢\\nand more\\nnot a name: x"}',
        "OutId": KEY,
    }


def test_fcm_is_told(providers: House) -> None:
    desk = providers.desk("fcm")
    head = {"title": "Hello", "image": "https://shop.example/i.png", "link": "https://shop.example/cart"}
    providers.send("fcm", message(address="token-1", headers=head))
    assert desk.taken[0].message == {
        "token": "token-1",
        "notification": {"title": "Hello", "body": "Your order 订单 O-1 waits.", "image": "https://shop.example/i.png"},
        "data": {"key": KEY, "activity": "payment_unfinished", "link": "https://shop.example/cart"},
        "android": {"collapse_key": KEY, "notification": {"tag": KEY}},
        "apns": {"headers": {"apns-collapse-id": KEY}},
        "webpush": {"fcm_options": {"link": "https://shop.example/cart"}},
    }


def test_wechat_is_told(providers: House) -> None:
    desk = providers.desk("wechat")
    head = {
        "template_id": "T-2",
        "link": "https://shop.example/cart",
        "mini_program_appid": "wx2",
        "mini_program_path": "pages/cart",
    }
    providers.send("wechat", message(address="openid-1", text=LINES, headers=head))
    assert desk.taken[0].message == {
        "touser": "openid-1",
        "template_id": "T-2",
        "client_msg_id": KEY,
        "data": {"thing": {"value": "tea: green"}, "note": {"value": "谢谢\nand more\nnot a name: x"}},
        "url": "https://shop.example/cart",
        "miniprogram": {"appid": "wx2", "pagepath": "pages/cart"},
    }


def test_a_webhook_is_told_everything(providers: House) -> None:
    desk = providers.desk("webhook")
    sent = message(address=None, headers={"title": "Hello"})
    providers.send("webhook", sent)
    assert desk.taken[0].message == msgspec.to_builtins(sent)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("no names here", {}),
        ("a: 1\r\nb:2", {"a": "1", "b": "2"}),
        ("a: 1\na: 2", {"a": "2"}),
        ("订单: 1", {"订单": "1"}),
        ("a:", {"a": ""}),
        ("first\na: x", {"a": "x"}),
    ],
)
def test_lines_as_parameters(text: str, expected: dict[str, str]) -> None:
    assert parameters_of(text) == expected


def send_at_once(providers: House, provider: str, count: int) -> list[Outcome]:
    async def run() -> list[Outcome]:
        channel = providers.channel(provider)
        sent = [message(address="a", text="a: b", key=f"{number:032x}") for number in range(count)]
        outcomes = await asyncio.gather(*map(channel.send, sent))
        await channel.close()
        return outcomes

    return asyncio.run(run())


@pytest.mark.parametrize("provider", ["fcm", "wechat"])
@pytest.mark.parametrize("faults", [0, 1, 5])
def test_calls_at_once_share_one_access_token(providers: House, provider: str, faults: int) -> None:
    """Also where the provider refuses it several times over: WeChat forgets its token with each of these faults."""
    desk = providers.desk(provider, *[Fault("expired")] * faults)
    providers.world.tokens.pop(provider, None)
    before = providers.world.issued[provider]
    outcomes = send_at_once(providers, provider, 40)
    kinds = {type(outcome) for outcome in outcomes}
    assert kinds == {Accepted} or (faults > 1 and kinds == {Accepted, Misconfigured})  # refused twice in a row
    assert len(desk.taken) == sum(isinstance(outcome, Accepted) for outcome in outcomes)
    assert providers.world.issued[provider] - before <= 1 + faults


def test_the_token_of_fcm_is_asked_for_with_a_signed_claim(providers: House) -> None:
    """By a service account that Google does not know: nothing can be sent until somebody mends it."""
    other = generate_private_key(65537, 2048)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    path = providers.world.folder / "service_account.json"
    account = {**msgspec.json.decode(path.read_bytes()), "private_key": pem}
    changed = providers.world.folder / "other_account.json"
    changed.write_bytes(msgspec.json.encode(account))
    (outcome,) = providers.send("fcm", message(address="a"), service_account={"file": str(changed)})
    assert outcome == Misconfigured("no access token: 400 invalid_grant Signature verification failed")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "not a service account's JSON"),
        (b'{"client_email":"a","token_uri":"https://x.example","private_key":"b"}', "'private_key' is no PEM key"),
    ],
)
def test_a_service_account_that_is_none(providers: House, content: bytes, said: str) -> None:
    path = providers.world.folder / "no_account.json"
    path.write_bytes(content)
    with pytest.raises(ChannelSettingsError, match=said):
        providers.channel("fcm", service_account={"file": str(path)})


def test_fcm_names_the_field_that_is_wrong() -> None:
    violation = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "message.token"}]}
    error = {"code": 400, "status": "INVALID_ARGUMENT", "message": "not a token", "details": [violation]}
    reply = Reply(400, {}, msgspec.json.encode({"error": error}))
    assert _outcome(reply, NOW) == DeadAddress("INVALID_ARGUMENT not a token")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120_000),
        ("0", 0),
        ("Sat, 22 Nov 2025 08:26:42 GMT", 2_000),
        ("Sat, 22 Nov 2014 08:26:42 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after(header: str, expected: int | None) -> None:
    assert retry_after(Reply(429, {"retry-after": header}, b""), NOW) == expected


def test_a_certificate_that_nobody_vouches_for(providers: House) -> None:
    """The mail server's port speaks TLS, under an authority of its own."""
    url = f"https://127.0.0.1:{providers.opened.smtp_tls_port}"
    (outcome,) = providers.send("webhook", message(), url=url)
    assert isinstance(outcome, Retry)


def test_a_server_that_does_not_answer_to_tls(providers: House) -> None:
    """Its port takes connections; nothing of the message has left."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        assert isinstance(providers.send("webhook", message(), url=url, timeout=400)[0], Retry)


def test_a_body_without_end_is_not_read_to_it(providers: House) -> None:
    huge: dict[str, Any] = {"sid": "x" * 100_000}
    reply = Reply(201, {}, msgspec.json.encode(huge)[:65_536], cut=True)
    assert reply.json() is None
