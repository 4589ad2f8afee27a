"""What all stories have in common: servers of their own, rules that wait less, and the count of what arrived."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.writer import write_profiles
from kairos.apps.demo.observer import Fact, Observer
from kairos.apps.demo.services import Services
from kairos.engine.topics import DECISIONS, RECEIPTS, events_topic

EVENTS = events_topic("shop")
TOPICS = (EVENTS, RECEIPTS, DECISIONS)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Cast:
    """`people`: profiles by user. `texts`: the text messages that each must get. `wait`: how the rule says how long it
    waits, for instance ("after", "5m"); the demonstration may shorten that."""

    people: Mapping[str, Mapping[str, str]]
    texts: Mapping[str, Sequence[str]]
    wait: tuple[str, str]

    def as_due(self, came: Mapping[str, Sequence[str]]) -> bool:
        """Whether these text messages, by user, are those, word for word, and no others."""
        return {user: [*texts] for user, texts in came.items()} == {u: [*due] for u, due in self.texts.items() if due}


@dataclass(frozen=True)
class Pace:
    """How long it waits here, as a duration of the rules, and in seconds."""

    text: str
    seconds: float


class Story(ABC):
    """`rules`: the folder to play, copied below the services' folder."""

    def __init__(self, services: Services, cast: Cast, rules: Path, pace: Pace, say: Say) -> None:
        self._services, self._cast, self._rules, self._pace, self._say = services, cast, rules, pace, say

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

    @property
    def further(self) -> str:
        """What whoever has seen it can do next, with the servers stopped."""
        return f"its rule, tried without servers: kairos test {self._rules}\nwhat the programs said: {self.logs()}"

    def logs(self) -> Path:
        return self._services.logs()

    @abstractmethod
    def _prepare(self) -> None:
        """What it needs of the stack and the providers, before the programs start."""

    @abstractmethod
    def _tell(self, observer: Observer) -> None:
        """Raises StoryError."""

    # ------------------------------------------------------------------------------------------------------- start
    def _start(self) -> None:
        services = self._services
        self._say(f"{self._rules} on servers of its own: two minutes, the start takes one")
        self._say(f"Starting a stack of its own, {', '.join(services.programs[:-1])} and the {services.programs[-1]}")
        self._copy_rules()
        services.up_stack()
        create_topics(services.stack.settings.kafka, TOPICS, 2)
        write_profiles(connect(services.stack.settings.redis_url), self._cast.people)
        services.up_providers()
        services.write_conf()
        self._prepare()
        services.up_rest()

    def _copy_rules(self) -> None:
        key, as_it_stands = self._cast.wait
        shutil.copytree(self._rules, self._services.rules)
        for file in self._services.rules.glob("activities/**/*.yaml"):
            if file.name.endswith(".test.yaml"):
                file.unlink()  # they are about the duration as it stands
            else:
                shorter = file.read_text("utf-8").replace(f"{key}: {as_it_stands}", f"{key}: {self._pace.text}")
                file.write_text(shorter, "utf-8")

    def _observer(self) -> Observer:
        users = {address: user for user, profile in self._cast.people.items() for address in profile.values()}
        books = self._services.desk / "taken.jsonl"
        return Observer(self._services.stack.settings.kafka, TOPICS, books, users, self._say)

    # -------------------------------------------------------------------------------------------------------- tell
    def _text_arrives(self, observer: Observer, user: str, extra: float = 0.0) -> None:
        """`extra`: seconds that the rules make it wait."""
        message = observer.until(f"{user}'s text message", taken(user, "sms"), extra)
        self._report(message, "delivered")
        observer.until(f"the report about {user}'s text message", receipt(user, "sms", "delivered"))

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
        """What arrived is counted last: by the audit no message is under way any more."""
        self._say("\nWhat the audit says of these servers, before they stop")
        command = [sys.executable, "-m", "kairos", "audit", "--conf", str(self._services.conf), "--settled"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self._say((done.stdout + done.stderr).rstrip())
        observer.look()
        came = texts_of(observer.facts)
        self._say("\nText messages that arrived")
        for user in sorted({*came, *self._cast.texts}):
            self._say(f"  {user:<6} {verdict(came.get(user, []), self._cast.texts.get(user, ()))}")
        return done.returncode == 0 and self._cast.as_due(came)


def texts_of(facts: Sequence[Fact]) -> dict[str, list[str]]:
    """What providers have taken as text messages, by user; "?": an address of nobody's."""
    came: dict[str, list[str]] = {}
    for fact in facts:
        if fact.kind == "taken" and fact.detail["channel"] == "sms":
            came.setdefault(fact.user, []).append(str(fact.detail["message"]["Body"]).strip())
    return came


def verdict(came: Sequence[str], due: Sequence[str]) -> str:
    counts = f"{len(came)}, due {len(due)}"
    return counts if [*came] == [*due] else f"{counts}   WRONG: {[*came]} for {[*due]}"


def taken(user: str, channel: str) -> Callable[[Fact], bool]:
    return lambda fact: fact.kind == "taken" and fact.user == user and fact.detail["channel"] == channel


def event(user: str, kind: str) -> Callable[[Fact], bool]:
    return lambda fact: fact.kind == "event" and fact.user == user and fact.detail["type"] == kind


def receipt(user: str, channel: str, status: str) -> Callable[[Fact], bool]:
    def fits(fact: Fact) -> bool:
        props = fact.detail.get("props", {})
        return fact.kind == "receipt" and fact.user == user and (props["channel"], props["status"]) == (channel, status)

    return fits
