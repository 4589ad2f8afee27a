"""WeChat first, a text message where that fails or does not arrive: three users, real servers, every step shown.

Clara's message is delivered, Ben does not follow the account, and of Anna's nothing is heard any more. The job decides,
workers send, stand-ins take the messages and report; nothing is acted by this program but users and providers' fates.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from kafka import KafkaProducer

from kairos.apps.demo.observer import Observer
from kairos.apps.demo.services import Services
from kairos.apps.demo.story import EVENTS, Cast, Pace, Say, Story, receipt, taken

FOLLOWS_NOT = "43004"
"""WeChat's errcode for an openid that does not follow the account."""
PEOPLE = {
    "anna": {"phone": "+8613800000001", "wechat_openid": "openid-anna"},
    "ben": {"phone": "+8613800000002", "wechat_openid": "openid-ben"},
    "clara": {"phone": "+8613800000003", "wechat_openid": "openid-clara"},
}
CAST = Cast(
    PEOPLE,
    texts={
        "anna": ["Your order o-3 is on its way with SF."],
        "ben": ["Your order o-2 is on its way with SF."],
        "clara": [],  # Anna's is decided later than hers would have been, so none comes any more
    },
    wait=("after", "5m"),
)


class Fallback(Story):
    def __init__(self, folder: Path, rules: Path, pace: Pace, say: Say) -> None:
        services = Services(folder, ("wechat", "sms"), lambda line: say(f"  {line}"))
        super().__init__(services, CAST, rules, pace, say)

    def _prepare(self) -> None:
        self._direct("wechat/report", {"status": None, "url": self._services.callback_url("wechat")}, "PUT")
        self._direct("wechat/refusals", {PEOPLE["ben"]["wechat_openid"]: FOLLOWS_NOT}, "PUT")

    def _tell(self, observer: Observer) -> None:
        self._say("\nClara's WeChat message arrives, and that is all")
        self._ship("clara", "o-1")
        self._report(observer.until("clara's WeChat message", taken("clara", "wechat")), "delivered")
        observer.until("WeChat's report about clara", receipt("clara", "wechat", "delivered"))

        self._say("\nBen does not follow the account: WeChat refuses, the text message goes at once")
        self._ship("ben", "o-2")
        observer.until("WeChat's refusal of ben", receipt("ben", "wechat", "failed"))
        self._text_arrives(observer, "ben")

        self._say(f"\nWeChat takes Anna's message and reports nothing for {self._pace.text}: a text message stands in")
        self._ship("anna", "o-3")
        observer.until("anna's WeChat message", receipt("anna", "wechat", "sent"))
        self._text_arrives(observer, "anna", self._pace.seconds)

    def _ship(self, user: str, order: str) -> None:
        """As the shop would say it: key = user, timestamp = event time."""
        now = time.time_ns() // 1_000_000
        props = {"order_id": order, "carrier": "SF"}
        event = {"id": order, "type": "order_shipped", "user_id": user, "time": now, "source": "shop", "props": props}
        producer = KafkaProducer(bootstrap_servers=self._services.stack.settings.kafka)
        producer.send(EVENTS, msgspec.json.encode(event), user.encode(), timestamp_ms=now).get(timeout=10)
        producer.close()
