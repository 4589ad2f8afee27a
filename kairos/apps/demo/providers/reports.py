"""What a provider says later: status callbacks, signed or marked as each of them does."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import msgspec

from kairos.adapters.channels import wechat
from kairos.adapters.channels.http_call import Http, Reply
from kairos.adapters.channels.webhook import key_of, signature
from kairos.apps.demo.providers.apps import wechat_id
from kairos.apps.demo.providers.desk import Taken
from kairos.apps.demo.providers.sms import twilio_report
from kairos.apps.demo.providers.world import World

_TIMEOUT = 10_000
Call = tuple[str, dict[str, str], bytes]


class Reporter:
    """Sends reports: one at a time when asked, or after each message whose provider is told to (`report_status`)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._http = Http(_TIMEOUT)
        self._running: set[asyncio.Task[str]] = set()

    def taken(self, taken: Taken) -> None:
        status = self._world.desks[taken.provider].report_status
        if status is not None and taken.sent:
            task = asyncio.create_task(self.report(taken, status, None))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def report(self, taken: Taken, status: str, code: str | None) -> str:
        """The status of the answer, or why there was none."""
        url, headers, body = _call(self._world, taken, status, code)
        if not url:
            return "the provider was given no URL for reports"
        reply = await self._http.call("POST", url, headers=headers, body=body)
        return str(reply.status) if isinstance(reply, Reply) else reply.reason

    async def close(self) -> None:
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._http.close()


def _call(world: World, taken: Taken, status: str, code: str | None) -> Call:
    url = world.desks[taken.provider].report_url or ""
    if taken.provider == "twilio":
        return twilio_report(world, taken, status, code)
    if taken.provider == "aliyun_sms":
        return _aliyun(world, url, taken, status, code)
    if taken.provider == "wechat":
        return _wechat(world, url, taken, status, code)
    return _webhook(world, url, taken, status, code)


def _aliyun(world: World, url: str, taken: Taken, status: str, code: str | None) -> Call:
    report = {
        "phone_number": taken.address,
        "success": status == "delivered",
        "err_code": code or ("DELIVERED" if status == "delivered" else "UNKNOWN"),
        "biz_id": taken.provider_id,
        "out_id": taken.key,
    }
    query = urlencode({"token": world.secrets["report_token"]})
    return url and f"{url}?{query}", {"content-type": "application/json"}, msgspec.json.encode([report])


def _wechat(world: World, url: str, taken: Taken, status: str, code: str | None) -> Call:
    seconds = str(world.now() // 1000)
    query = {"timestamp": seconds, "nonce": "n"}
    query["signature"] = wechat.signature(world.secrets["wechat_token"], seconds, "n")
    said = "success" if status == "delivered" else code or "failed: system failed"
    body = (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{taken.address}]]></FromUserName>"
        f"<CreateTime>{seconds}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event><MsgID>{wechat_id(taken.provider_id)}</MsgID>"
        f"<Status><![CDATA[{said}]]></Status></xml>"
    )
    return url and f"{url}?{urlencode(query)}", {"content-type": "text/xml"}, body.encode()


def _webhook(world: World, url: str, taken: Taken, status: str, code: str | None) -> Call:
    report = {"key": taken.key, "status": status, "reason": code, "opted_out": code == "opted_out"}
    body, seconds = msgspec.json.encode([report]), world.now() // 1000
    name = f"report-{taken.number}"
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(key_of(world.secret("webhook"), "demo"), name, seconds, body),
    }
    return url, headers, body
