"""Cases of kind `smtp`: mails to a server that writes down all that is said to it, and answers as the case says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from kairos.adapters.channels.channel import DeadAddress, Message, Outcome
from kairos.adapters.delivery.unsubscribe_links import Leaving
from kairos.adapters.settings.delivery import Conf, Delivery, Unsubscribe
from kairos.adapters.settings.file import SettingsError
from kairos.apps.delivery.outcome import NAMES

TIMEOUT = "10s"


class Server:
    """`answers`: what it says to MAIL, RCPT and the content; else it takes everything."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._answers = answers
        self.mails: list[str] = []
        self.talks: list[asyncio.Task[Any]] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.talks.append(task)

        def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())

        say("220 field.example")
        while line := (await reader.readline()).decode("utf-8", "replace"):
            verb = line[:4].upper()
            if verb == "MAIL":
                self.mails.append("")
            if verb in ("MAIL", "RCPT"):
                self.mails[-1] += line
            if verb == "EHLO":
                say("250 field.example")
            elif verb == "DATA":
                say("354 go on")
                while (part := (await reader.readline()).decode("utf-8", "replace")) != ".\r\n":
                    self.mails[-1] += part
                say(self._answer("content", "data"))
            elif verb == "QUIT":
                say("221 bye")
                writer.close()
                return
            else:
                say(self._answer(verb.lower()))

    def _answer(self, *names: str) -> str:
        return next((self._answers[name] for name in names if name in self._answers), "250 fine")


def play(case: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(_play(case))


async def _play(case: dict[str, Any]) -> dict[str, Any]:
    heard = Server(case.get("server", {}))
    server = await asyncio.start_server(heard.talk, "127.0.0.1", 0)
    options = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "timeout": TIMEOUT, **case["channel"]}
    os.environ["FIELD_KEY"] = "a key of the field's own, for links"
    signing = Unsubscribe("https://shop.example/callbacks", {"k1": {"env": "FIELD_KEY"}})
    conf = Conf(Delivery("sqlite://", {"email": options}, unsubscribe=signing), place="field")
    try:
        channel, links = conf.provider("email"), conf.links()
    except SettingsError as error:
        return {"opened": False, "outcomes": [], "mails": [], "said": str(error)}
    outcomes = []
    for number, given in enumerate(case["messages"]):
        link = links.link(Leaving(given["user"], "email")) if links is not None else None
        outcomes.append(await channel.send(_message(number, given, link)))
    await channel.close()
    server.close()
    if heard.talks:
        await asyncio.wait(heard.talks, timeout=10)
    names = [_name(outcome) for outcome in outcomes]
    return {"opened": True, "outcomes": names, "mails": heard.mails, "said": [repr(outcome) for outcome in outcomes]}


def _message(number: int, given: dict[str, Any], link: str | None) -> Message:
    headers = {"subject": given["subject"], **given.get("headers", {})}
    named = (f"{number:032x}", "field", given["user"], f"o{number}", 1, "email", "t", given["address"])
    return Message(*named, headers, given["text"], {}, given.get("html", False), link)


def _name(outcome: Outcome) -> str:
    return "opted_out" if isinstance(outcome, DeadAddress) and outcome.opted_out else NAMES[type(outcome)]
