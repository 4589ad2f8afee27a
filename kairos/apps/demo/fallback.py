"""WeChat first, a text message where that fails or does not arrive: three users, real servers, every step shown.

Clara's message is delivered, Ben does not follow the account, and of Anna's nothing is heard any more. The job decides,
workers send, stand-ins take the messages and report; nothing is acted by this program but users and providers' fates.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaProducer

from kairos.adapters.kafka_topics import create_topics
from kairos.adapters.profile_writer import write_profiles
from kairos.adapters.profiles import connect
from kairos.apps.demo.observer import Fact, Observer
from kairos.apps.demo.services import Services

CHANNELS = ("wechat", "sms")
EVENTS = "events.shop"
TOPICS = (EVENTS, "receipts", "decisions")
FOLLOWS_NOT = "43004"
"""WeChat's errcode for an openid that does not follow the account."""
AFTER = "after: 5m"
"""As the rule has it; the demonstration may shorten it."""
PEOPLE = {
    "anna": {"phone": "+8613800000001", "wechat_openid": "openid-anna"},
    "ben": {"phone": "+8613800000002", "wechat_openid": "openid-ben"},
    "clara": {"phone": "+8613800000003", "wechat_openid": "openid-clara"},
}
TEXTS = {"anna": 1, "ben": 1, "clara": 0}
"""How many text messages each must get."""

Say = Callable[[str], None]


class Fallback:
    """`after`: as a duration of the rules, and in seconds. `rules`: the folder to play, copied below `folder`."""

    def __init__(self, folder: Path, rules: Path, after: str, seconds: float, say: Say) -> None:
        self._services = Services(folder, CHANNELS, lambda line: say(f"  {line}"))
        self._rules, self._after, self._seconds, self._say = rules, after, seconds, say

    def run(self) -> bool:
        """Whether each text message that was due arrived, once, and no other. Raises ServiceError and StoryError."""
        services = self._services
        services.down()
        shutil.rmtree(services.folder, ignore_errors=True)
        try:
            self._start()
            observer = self._observer()
            try:
                self._tell(observer)
                return self._judge(observer)
            finally:
                observer.close()
        finally:
            self._say("\nStopping")
            services.down()

    def logs(self) -> Path:
        return self._services.logs()

    # ------------------------------------------------------------------------------------------------------- start
    def _start(self) -> None:
        services = self._services
        self._say("Starting a stack of its own, providers, callbacks, workers and the job")
        self._copy_rules()
        services.up_stack()
        create_topics(services.stack.settings.kafka, TOPICS, 2)
        write_profiles(connect(services.stack.settings.redis_url), PEOPLE)
        services.up_providers()
        services.write_conf()
        self._direct("wechat/report", {"status": None, "url": services.callback_url("wechat")}, "PUT")
        self._direct("wechat/refusals", {PEOPLE["ben"]["wechat_openid"]: FOLLOWS_NOT}, "PUT")
        services.up_rest()

    def _copy_rules(self) -> None:
        shutil.copytree(self._rules, self._services.rules)
        for file in self._services.rules.glob("activities/**/*.yaml"):
            if file.name.endswith(".test.yaml"):
                file.unlink()  # they are about the duration as it stands
            else:
                file.write_text(file.read_text("utf-8").replace(AFTER, f"after: {self._after}"), "utf-8")

    def _observer(self) -> Observer:
        users = {address: user for user, profile in PEOPLE.items() for address in profile.values()}
        books = self._services.desk / "taken.jsonl"
        return Observer(self._services.stack.settings.kafka, TOPICS, books, users, self._say)

    # ------------------------------------------------------------------------------------------------------- story
    def _tell(self, observer: Observer) -> None:
        self._say("\nClara's WeChat message arrives, and that is all")
        self._ship("clara", "o-1")
        self._report(observer.until("clara's WeChat message", taken("clara", "wechat")), "delivered")
        observer.until("WeChat's report about clara", receipt("clara", "wechat", "delivered"))

        self._say("\nBen does not follow the account: WeChat refuses, the text message goes at once")
        self._ship("ben", "o-2")
        observer.until("WeChat's refusal of ben", receipt("ben", "wechat", "failed"))
        self._text_arrives(observer, "ben")

        self._say(f"\nWeChat takes Anna's message and reports nothing for {self._after}: a text message stands in")
        self._ship("anna", "o-3")
        observer.until("anna's WeChat message", receipt("anna", "wechat", "sent"))
        self._text_arrives(observer, "anna", self._seconds)

    def _text_arrives(self, observer: Observer, user: str, extra: float = 0.0) -> None:
        message = observer.until(f"{user}'s text message", taken(user, "sms"), extra)
        self._report(message, "delivered")
        observer.until(f"the report about {user}'s text message", receipt(user, "sms", "delivered"))

    def _ship(self, user: str, order: str) -> None:
        """As the shop would say it: key = user, timestamp = event time."""
        now = time.time_ns() // 1_000_000
        props = {"order_id": order, "carrier": "SF"}
        event = {"id": order, "type": "order_shipped", "user_id": user, "time": now, "source": "shop", "props": props}
        producer = KafkaProducer(bootstrap_servers=self._services.stack.settings.kafka)
        producer.send(EVENTS, msgspec.json.encode(event), user.encode(), timestamp_ms=now).get(timeout=10)
        producer.close()

    def _report(self, message: Fact, status: str) -> None:
        """The provider tells our callbacks server what became of its message."""
        provider, number = message.detail["provider"], message.detail["number"]
        answer = self._direct(f"{provider}/reports", {"status": status, "number": number})
        self._say(f"{'':>16}{message.user:<6} {'report':<9} {message.detail['channel']}: {status}, answered {answer}")

    def _direct(self, door: str, body: Any, method: str = "POST") -> str:
        request = urllib.request.Request(
            f"{self._services.http}/-/{door}", msgspec.json.encode(body), {"content-type": "application/json"}
        )
        request.method = method
        with urllib.request.urlopen(request, timeout=30) as reply:
            content = reply.read()
        return str(msgspec.json.decode(content)["answer"]) if content else ""

    # ------------------------------------------------------------------------------------------------------- judge
    def _judge(self, observer: Observer) -> bool:
        """Anna's text was decided later than Clara's would have been, so none comes for Clara any more."""
        observer.look()
        texts = Counter(fact.user for fact in observer.facts if fact.kind == "taken" and is_text(fact))
        self._say("\nText messages that arrived")
        for user, due in sorted(TEXTS.items()):
            self._say(f"  {user:<6} {texts[user]}, due {due}" + ("" if texts[user] == due else "   WRONG"))
        self._say("\nkairos audit")
        command = [sys.executable, "-m", "kairos", "audit", "--conf", str(self._services.conf), "--settled"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self._say((done.stdout + done.stderr).rstrip())
        return done.returncode == 0 and all(texts[user] == due for user, due in TEXTS.items())


def is_text(fact: Fact) -> bool:
    return fact.detail.get("channel") == "sms"


def taken(user: str, channel: str) -> Callable[[Fact], bool]:
    return lambda fact: fact.kind == "taken" and fact.user == user and fact.detail["channel"] == channel


def receipt(user: str, channel: str, status: str) -> Callable[[Fact], bool]:
    def fits(fact: Fact) -> bool:
        props = fact.detail.get("props", {})
        return fact.kind == "receipt" and fact.user == user and (props["channel"], props["status"]) == (channel, status)

    return fits
