"""What a refusal means: of the address, the message, the channel."""

from __future__ import annotations

import pytest

from kairos.adapters.channels.channel import (
    DeadAddress,
    Misconfigured,
    Outcome,
    Refused,
    Rejected,
    Retry,
    Unknown,
)
from kairos.apps.demo.providers.desk import Fault
from tests.channels.channel_kit import House
from tests.channels.everybody import to


@pytest.mark.parametrize(
    ("provider", "code", "expected"),
    [
        ("twilio", "21610", DeadAddress("21610 refused", opted_out=True)),
        ("twilio", "21211", DeadAddress("21211 refused")),
        ("twilio", "21614", DeadAddress("21614 refused")),
        ("twilio", "30006", DeadAddress("30006 refused")),
        ("twilio", "21408", Rejected("21408 refused")),
        ("twilio", "21617", Rejected("21617 refused")),
        ("twilio", "21606", Misconfigured("21606 refused")),
        ("twilio", "20429", Retry("20429 refused")),
        ("twilio", "99999", Rejected("400 99999 refused")),
        ("aliyun_sms", "isv.MOBILE_NUMBER_ILLEGAL", DeadAddress("isv.MOBILE_NUMBER_ILLEGAL refused")),
        ("aliyun_sms", "isv.CUSTOMER_REFUSED", DeadAddress("isv.CUSTOMER_REFUSED refused", opted_out=True)),
        ("aliyun_sms", "isv.BUSINESS_LIMIT_CONTROL", Retry("isv.BUSINESS_LIMIT_CONTROL refused", 60_000)),
        ("aliyun_sms", "isv.OUT_OF_SERVICE", Misconfigured("isv.OUT_OF_SERVICE refused")),
        ("aliyun_sms", "isv.AMOUNT_NOT_ENOUGH", Misconfigured("isv.AMOUNT_NOT_ENOUGH refused")),
        ("aliyun_sms", "isv.TEMPLATE_MISSING_PARAMETERS", Rejected("isv.TEMPLATE_MISSING_PARAMETERS refused")),
        ("aliyun_sms", "Throttling.User", Retry("Throttling.User refused")),
        ("fcm", "UNREGISTERED", DeadAddress("UNREGISTERED refused")),
        ("fcm", "SENDER_ID_MISMATCH", DeadAddress("SENDER_ID_MISMATCH refused")),
        ("fcm", "INVALID_ARGUMENT", Rejected("INVALID_ARGUMENT refused")),
        ("fcm", "QUOTA_EXCEEDED", Retry("QUOTA_EXCEEDED refused", 60_000)),
        ("fcm", "UNAVAILABLE", Retry("UNAVAILABLE refused")),
        ("fcm", "THIRD_PARTY_AUTH_ERROR", Misconfigured("THIRD_PARTY_AUTH_ERROR refused")),
        ("wechat", "43004", DeadAddress("43004 refused", opted_out=True)),
        ("wechat", "40003", DeadAddress("40003 refused")),
        ("wechat", "45009", Misconfigured("45009 refused")),
        ("wechat", "47003", Rejected("47003 refused")),
        ("wechat", "-1", Retry("-1 refused")),
        ("wechat", "12345", Rejected("12345 refused")),
        ("webhook", "410", Misconfigured("410 gone")),
        ("webhook", "404", Misconfigured("404")),
        ("webhook", "302", Misconfigured("302")),
        ("webhook", "422", Rejected("422")),
        ("webhook", "502", Unknown("502: a proxy that cannot tell what became of it")),
        ("apprise", "422", Rejected("422 said the service")),
        ("apprise", "503", Retry("503 said the service")),
        ("smtp", "550 5.1.1 no such user", DeadAddress("550 5.1.1 no such user")),
        ("smtp", "550 user unknown", DeadAddress("550 user unknown")),
        ("smtp", "550 unknown", Rejected("550 unknown")),
        ("smtp", "550 5.7.1 we think it is spam", Rejected("550 5.7.1 we think it is spam")),
        ("smtp", "552 5.2.2 mailbox full", Rejected("552 5.2.2 mailbox full")),
        ("smtp", "450 4.2.0 greylisted", Retry("450 4.2.0 greylisted")),
    ],
)
def test_what_a_refusal_means(providers: House, provider: str, code: str, expected: Outcome) -> None:
    desk = providers.desk(provider, Fault("refused", code=code))
    assert providers.send(provider, to(provider)) == [expected]
    assert desk.taken == []


@pytest.mark.parametrize("code", ["301", "401", "403", "404", "405", "407"])
def test_what_one_user_s_url_refuses_is_not_yet_the_channel_s_fault(providers: House, code: str) -> None:
    url = f"{providers.opened.http}/webhook"
    providers.desk("webhook", Fault("refused", code=code))
    assert providers.send("webhook", to("webhook", address=url), url=None, allow=["127.0.0.1"]) == [Refused(code)]
