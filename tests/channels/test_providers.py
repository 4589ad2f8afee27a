"""How providers are opened: options, secrets, and the two that need no server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.channels.channel import Accepted, Message, Misconfigured, Unknown
from kairos.adapters.channels.options import decode
from kairos.adapters.channels.providers import PROVIDERS, ChannelSettingsError, module_of, open_channel
from kairos.adapters.channels.webhook import Options
from tests.channels.channel_kit import NOW, message

WEBHOOK = {"url": "https://example.com/hook", "secret": {"env": "HOOK_SECRET"}}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("provider", "options", "said"),
    [
        ("webhok", {}, "delivery.channels.x.provider: no provider is called 'webhok'; did you mean 'webhook'?"),
        ("file", {}, "delivery.channels.x: without path it cannot be opened"),
        ("file", {"pth": "a"}, "delivery.channels.x: unknown key 'pth'; did you mean 'path'?"),
        ("console", {"colour": 1}, "delivery.channels.x: unknown key 'colour'; valid keys: none"),
        ("webhook", {**WEBHOOK, "url": "example.com"}, "delivery.channels.x.url: 'example.com' is not a URL"),
        ("webhook", {**WEBHOOK, "url": "http://example.com"}, "write https://example.com"),
        (
            "webhook",
            {**WEBHOOK, "secret": "whsec_plain"},
            "x.secret: a secret is given as {env: NAME}",
        ),
        ("webhook", {**WEBHOOK, "secret": {"env": "UNSET"}}, "the environment variable UNSET is not set"),
        ("webhook", {**WEBHOOK, "secret": {"file": "no/such"}}, "no/such: cannot be read: No such file or directory"),
        ("webhook", {**WEBHOOK, "secret": {"env": "SHORT"}}, "at least 16 bytes"),
    ],
)
def test_options_that_cannot_be_used(
    provider: str, options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("SHORT", "whsec_YWJj")
    monkeypatch.delenv("UNSET", raising=False)
    with pytest.raises(ChannelSettingsError) as error:
        open_channel(provider, options, timeout=1000, place="delivery.channels.x")
    assert said in str(error.value)
    assert "whsec_" not in str(error.value) or "at least" in str(error.value)


def test_a_secret_shows_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    options = decode({"secret": {"file": str(tmp_path / "secret")}}, Options, "x")
    assert options.secret.reveal() == SECRET
    assert "MfKQ9" not in repr(options)
    assert "MfKQ9" not in f"{options.secret}"


def test_file_appends_a_line_a_message(tmp_path: Path) -> None:
    path = tmp_path / "outbox" / "sms.jsonl"

    async def send_all() -> None:
        first, second = (open_channel("file", {"path": str(path)}, timeout=1000) for _ in range(2))
        sent = [message(key=str(number), text="a\nb") for number in range(20)]
        outcomes = await asyncio.gather(*((first, second)[n % 2].send(each) for n, each in enumerate(sent)))
        assert set(outcomes) == {Accepted(delivered=True)}
        await first.close()
        await second.close()

    asyncio.run(send_all())
    lines = [msgspec.json.decode(line, type=Message) for line in path.read_bytes().splitlines()]
    assert sorted(lines, key=lambda m: int(m.key)) == [message(key=str(n), text="a\nb") for n in range(20)]


def test_a_file_that_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ChannelSettingsError, match=r"x\.path: .*: Is a directory"):
        open_channel("file", {"path": str(tmp_path)}, timeout=1000, place="x")


def test_a_full_disk_stops_the_channel_and_loses_nothing() -> None:
    channel = open_channel("file", {"path": "/dev/full"}, timeout=1000)
    assert asyncio.run(channel.send(message())) == Misconfigured("the file cannot be written: No space left on device")


def test_console_shows_what_a_person_needs(capsys: pytest.CaptureFixture[str]) -> None:
    channel = open_channel("console", {}, timeout=1000, now=lambda: NOW)
    sent = message(headers={"subject": "Hello"}, text="one\n\x1b[31mtwo")
    assert asyncio.run(channel.send(sent)) == Accepted(delivered=True)
    assert capsys.readouterr().out == (
        "sms to u1 at +8613800000000 (payment_unfinished, attempt 1, key 0123456789abcdef0123456789abcdef)\n"
        "  subject: Hello\n  one\n   [31mtwo\n"
    )


def test_a_mistake_in_a_provider_ends_one_message(caplog: pytest.LogCaptureFixture) -> None:
    channel = open_channel("file", {"path": "/dev/null"}, timeout=1000)
    impossible = message(text="\ud800")
    assert asyncio.run(channel.send(impossible)) == Unknown("the code of provider file failed: UnicodeEncodeError")
    assert impossible.key in caplog.text


def test_every_provider_of_the_table_is_there() -> None:
    for name in PROVIDERS:
        module = module_of(name, "x")
        assert issubclass(module.Options, msgspec.Struct)
        assert callable(module.open_channel)
