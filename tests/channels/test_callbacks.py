"""Reports of the providers over HTTP, signed as they sign, into receipts and lists."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import msgspec
import pytest
import uvicorn

from kairos.adapters.channels import webhook, wechat
from kairos.adapters.channels.callback import CallbackAnswer, CallbackRequest
from kairos.adapters.delivery.ledger import Change
from kairos.apps.callbacks.receive import MAX_BODY
from tests.channels.callback_office import CHANNELS, Office, post
from tests.channels.channel_kit import KEY, NOW, House


@pytest.fixture(scope="module")
def opened(providers: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    listener = socket.create_server(("127.0.0.1", 0))
    office = Office(providers, listener.getsockname()[1], tmp_path_factory.mktemp("office") / "lists.jsonl")
    server = uvicorn.Server(uvicorn.Config(office.callbacks.app(), log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield office
    server.should_exit = True
    thread.join(60)
    office.callbacks.close()
    listener.close()


@pytest.fixture
def office(opened: Office) -> Office:
    opened.clear()
    return opened


@pytest.mark.parametrize("channel", CHANNELS)
def test_delivered_becomes_a_receipt(office: Office, channel: str) -> None:
    row = office.send(channel)
    assert office.report(channel, "delivered") == "200"
    (receipt,) = office.receipts()
    props = {"activity": row.activity, "occurrence": row.occurrence, "attempt": 1, "channel": channel}
    assert receipt == {"type": "receipt", "user_id": "u1", "time": NOW, "props": {**props, "status": "delivered"}}
    assert [(each.topic, each.key, each.timestamp) for each in office.topic.posts] == [("receipts", "u1", NOW)]


@pytest.mark.parametrize(
    ("channel", "code", "listed"),
    [
        ("sms", "30003", []),  # switched off: tomorrow it may be on
        ("sms", "30005", [{"user_id": "u1", "dead_address": "+8613800000000"}]),
        ("sms", "21610", [{"user_id": "u1", "unsubscribed": "sms"}]),
        ("sms_cn", "MOBILE_NOT_ON_SERVICE", []),
        (
            "sms_cn",
            "isv.MOBILE_NUMBER_ILLEGAL",
            [{"user_id": "u1", "dead_address": "13800000000"}, {"user_id": "u1", "dead_address": "+8613800000000"}],
        ),
        ("sms_cn", "MOBILE_IN_BLACK", [{"user_id": "u1", "unsubscribed": "sms_cn"}]),
        ("wechat", "failed: system failed", []),
        ("wechat", "failed:user block", [{"user_id": "u1", "unsubscribed": "wechat"}]),
        ("webhook", "opted_out", [{"user_id": "u1", "unsubscribed": "webhook"}]),
    ],
)
def test_failed_becomes_a_receipt_and_what_it_says_of_the_address_is_listed(
    office: Office, channel: str, code: str, listed: list[dict[str, str]]
) -> None:
    office.send(channel)
    assert office.report(channel, "failed", code) == "200"
    went, failed = office.receipts()
    assert (went["props"]["status"], went["time"]) == ("sent", NOW - 5)
    assert (failed["props"]["status"], failed["props"]["reason"], failed["time"]) == ("failed", code, NOW)
    assert office.lists() == listed


def test_that_a_message_failed_is_not_said_before_it_is_known_to_have_gone(office: Office) -> None:
    """One that failed without having gone gives its slot back: another would be sent too many."""
    office.send("sms", state="reserved")
    assert office.report("sms", "failed") == "503"
    assert office.receipts() == []
    (row,) = office.ledger.rows.values()
    sent = msgspec.structs.replace(row, state="sent", settled_at=NOW - 5)
    office.clock.meanwhile[300] = lambda: office.ledger.apply([Change(row, sent)])
    assert office.report("sms", "failed") == "200"
    assert [each["props"]["status"] for each in office.receipts()] == ["sent", "failed"]


@pytest.mark.parametrize("channel", ["sms", "sms_cn", "webhook"])
def test_a_message_whose_answer_was_lost_is_found_by_its_key(office: Office, channel: str) -> None:
    office.send(channel, state="unknown", keep_id=False)
    assert office.report(channel, "delivered") == "200"
    assert len(office.receipts()) == 1
    assert office.clock.slept == []


def test_a_report_that_is_faster_than_the_worker_waits_for_the_row(office: Office) -> None:
    row = office.send("wechat")
    office.ledger.rows.clear()
    office.clock.meanwhile[300] = lambda: office.ledger.apply([Change(None, row)])
    assert office.report("wechat", "delivered") == "200"
    assert len(office.receipts()) == 1
    assert office.clock.slept == [100, 300]


@pytest.mark.parametrize(("state", "told"), [("sent", 0), ("reserved", 0), ("unknown", 1)])
def test_sent_is_news_only_where_nobody_knew(office: Office, state: str, told: int) -> None:
    office.send("sms", state=state)
    assert office.report("sms", "sent") == "200"
    assert len(office.receipts()) == told


def test_a_message_that_nobody_sent_is_counted_and_said_once(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.send("sms_cn")
    office.ledger.rows.clear()
    assert [office.report("sms_cn", "delivered") for _ in range(3)] == ["200"] * 3
    assert office.receipts() == []
    assert office.counted() == {"sms_cn.unknown": 3}
    assert caplog.text.count("the ledger lacks") == 1
    with urllib.request.urlopen(f"{office.url}/metrics", timeout=60) as answer:
        assert b'kairos_callbacks_reports_total{channel="sms_cn",outcome="unknown"} 3.0' in answer.read().splitlines()


def test_a_message_of_another_channel_is_none_of_this_one(office: Office) -> None:
    row = office.send("sms")
    office.ledger.rows[KEY] = msgspec.structs.replace(row, channel="push")
    assert office.report("sms", "delivered") == "200"
    assert office.receipts() == []


def test_without_kafka_the_provider_is_asked_to_come_again(office: Office) -> None:
    office.send("sms")
    office.topic.away = True
    assert office.report("sms", "delivered") == "503"
    office.topic.away = False
    assert office.report("sms", "delivered") == "200"
    assert len(office.receipts()) == 1


def test_a_provider_does_not_wait_for_a_slow_kafka(office: Office) -> None:
    office.send("sms")
    office.topic.open.clear()
    office.callbacks.patience = 0.2
    assert office.report("sms", "delivered") == "503"
    office.callbacks.patience = 60.0
    office.topic.open.set()
    assert office.report("sms", "delivered") == "200"
    assert [receipt["props"]["status"] for receipt in office.receipts()] == ["delivered", "delivered"]


def test_without_the_ledger_too(office: Office) -> None:
    office.send("sms")
    office.ledger.away = True
    assert office.report("sms", "delivered") == "503"
    assert office.receipts() == []


def test_aliyun_hears_what_it_wants_to_hear(office: Office) -> None:
    token = office.providers.world.secrets["report_token"]
    status, said = post(f"{office.url}/callbacks/sms_cn?token={token}", b"[]")
    assert (status, json.loads(said)["code"]) == (200, 0)


def test_wechat_s_handshake(office: Office) -> None:
    url = f"{office.url}/callbacks/wechat?{_wechat_query(office)}&echostr=3"
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.read() == b"3"


@pytest.mark.parametrize("ago", [301, -301])
def test_an_event_of_wechat_that_is_not_of_now_is_refused(office: Office, ago: int) -> None:
    assert post(f"{office.url}/callbacks/wechat?{_wechat_query(office, ago)}", b"<xml></xml>")[0] == 401


def _wechat_query(office: Office, ago: int = 300) -> str:
    seconds = str(NOW // 1000 - ago)
    signed = wechat.signature(office.providers.world.secrets["wechat_token"], seconds, "2")
    return urlencode({"timestamp": seconds, "nonce": "2", "signature": signed})


@pytest.mark.parametrize("channel", CHANNELS)
def test_who_cannot_prove_to_be_the_provider_is_refused(office: Office, channel: str) -> None:
    office.send(channel)
    headers = {"x-twilio-signature": "x", "webhook-timestamp": str(NOW // 1000), "webhook-signature": "v1,x"}
    status, _ = post(f"{office.url}/callbacks/{channel}?token=x&signature=x", b"[]", **headers)
    assert status == 401
    assert office.counted() == {f"{channel}.refused": 1}


def test_an_old_report_of_a_webhook_is_refused(office: Office) -> None:
    seconds = NOW // 1000 - 301
    signed = webhook.signature(webhook.key_of(office.providers.world.secret("webhook"), "x"), "r", seconds, b"[]")
    headers = {"webhook-id": "r", "webhook-timestamp": str(seconds), "webhook-signature": signed}
    assert post(f"{office.url}/callbacks/webhook", b"[]", **headers)[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        b"not XML",
        b"<xml><Event>",
        b"\xff",
        b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><Event>&a;</Event></xml>',
    ],
)
def test_xml_that_is_none_or_brings_entities_is_refused(office: Office, body: bytes) -> None:
    assert post(f"{office.url}/callbacks/wechat?{_wechat_query(office)}", body)[0] == 400


def test_another_event_of_wechat_is_heard_and_means_nothing(office: Office) -> None:
    body = b"<xml><MsgType>event</MsgType><Event>subscribe</Event></xml>"
    assert post(f"{office.url}/callbacks/wechat?{_wechat_query(office)}", body) == (200, b"success")
    assert office.receipts() == []


@pytest.mark.parametrize("body", [b"{}", b"[{}]", b"\xff", b'[{"success": 1}]'])
def test_a_body_that_cannot_be_read_is_refused(office: Office, body: bytes) -> None:
    token = office.providers.world.secrets["report_token"]
    assert post(f"{office.url}/callbacks/sms_cn?token={token}", body)[0] == 400


def test_a_channel_without_callbacks(office: Office) -> None:
    assert post(f"{office.url}/callbacks/email", b"")[0] == 404


def test_a_body_without_end_is_not_read_to_it(office: Office) -> None:
    """In chunks, so that no length warns the server."""
    connection = http.client.HTTPConnection(office.url.removeprefix("http://"), timeout=60)
    chunks = (b"x" * 65_536 for _ in range(MAX_BODY // 65_536 + 2))
    connection.request("POST", "/callbacks/sms", body=chunks, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("seconds", ["9" * 5_000, "९" * 10, "-1", "1e9", ""])
def test_a_time_that_is_none_is_refused(office: Office, seconds: str) -> None:
    signed = wechat.signature(office.providers.world.secrets["wechat_token"], seconds, "2")
    query = urlencode({"timestamp": seconds, "nonce": "2", "signature": signed})
    assert post(f"{office.url}/callbacks/wechat?{query}", b"<xml></xml>")[0] == 401
    if seconds.isascii():
        headers = {"webhook-timestamp": seconds, "webhook-signature": "v1,x"}
        assert post(f"{office.url}/callbacks/webhook", b"[]", **headers)[0] == 401


def test_a_body_that_our_own_code_stumbles_over_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of 500 would have the provider come again for ever."""

    def stumble(_request: CallbackRequest) -> CallbackAnswer:
        raise OverflowError

    monkeypatch.setitem(office.parsers, "sms", stumble)
    assert post(f"{office.url}/callbacks/sms", b"x")[0] == 400
    assert office.counted() == {"sms.refused": 1}


def test_a_report_that_kafka_would_never_take(office: Office) -> None:
    office.send("webhook")
    office.topic.refuses = True
    assert office.report("webhook", "delivered") == "413"
    office.topic.refuses = False


def test_reasons_and_addresses_are_cut(office: Office) -> None:
    office.send("webhook")
    said = {"key": KEY, "status": "failed", "reason": "x" * 500_000, "dead_address": "y" * 400_000}
    body, seconds = json.dumps([said]).encode(), str(NOW // 1000)
    key = webhook.key_of(office.providers.world.secret("webhook"), "x")
    signed = webhook.signature(key, "r", int(seconds), body)
    headers = {"webhook-id": "r", "webhook-timestamp": seconds, "webhook-signature": signed}
    assert post(f"{office.url}/callbacks/webhook", body, **headers)[0] == 200
    assert office.receipts()[-1]["props"]["reason"] == "x" * 1_000
    assert office.lists() == []
