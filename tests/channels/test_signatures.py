"""Signatures against the examples that their owners publish."""

from __future__ import annotations

import base64

import pytest

from kairos.adapters.channels import aliyun_sms, twilio, webhook, wechat

STANDARD_WEBHOOKS = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_standard_webhooks() -> None:
    """From the specification's own libraries."""
    key = base64.b64decode(STANDARD_WEBHOOKS)
    signed = webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_alibaba_cloud_v3() -> None:
    """The fixed example of its documentation of the signature method."""
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": NOTHING,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    signed = aliyun_sms.sign("YourAccessKeyId", "YourAccessKeySecret", headers, query)
    assert signed["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_alibaba_cloud_percent_signs() -> None:
    assert aliyun_sms.encoded({"b": "*~ +/ä", "a": ""}) == "a=&b=%2A~%20%2B%2F%C3%A4"


def test_twilio() -> None:
    """From its helper libraries' tests."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    signed = twilio.signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", list(fields.items()))
    assert signed == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize("given", [("a", "b", "c"), ("c", "a", "b")])
def test_wechat_sorts_what_it_signs(given: tuple[str, str, str]) -> None:
    """Then it is the SHA-1 of "abc", which its standard gives."""
    assert wechat.signature(*given) == "a9993e364706816aba3e25717850c26c9cd0d89d"
