"""Messages that no input can forge, and colours only where they are wanted."""

from __future__ import annotations

import io

import pytest

from kairos.apps.view.terminal import escape, paint, progress_bar, quote


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain äöü 订单 ", "plain äöü 订单 "),
        ("a\nevents.jsonl:7: forged", r"a\nevents.jsonl:7: forged"),
        ("\x1b[31mred\x07\x00", r"\x1b[31mred\x07\x00"),
        ("\u2028\u202e\x85\ufeff", r"\u2028\u202e\x85\ufeff"),
        ("\ud800", r"\ud800"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_escape(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_a_quotation_is_cut() -> None:
    assert quote("x" * 200) == "x" * 200
    assert quote("x" * 201) == "x" * 199 + "…"
    assert quote("x" * 2_000_000, 10) == "xxxxxxxxx…"


def test_escapes_do_not_make_a_quotation_longer() -> None:
    assert len(quote("\x00" * 200)) == 200


@pytest.mark.parametrize("content", [b"\xff\xfe\x00rubbish", "Grüße".encode("latin-1"), "订".encode() * 1000])
def test_bytes_that_are_no_text_are_quoted_all_the_same(content: bytes) -> None:
    said = quote(content, 50)
    assert said.isprintable()
    assert len(said) <= 50


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert paint("x", "error", io.StringIO()) == "x"
    assert paint("x", "error", Terminal()) == "\x1b[31;1mx\x1b[0m"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert paint("x", "error", Terminal()) == "x"


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with progress_bar("reading") as tell:
        assert tell is None
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar("reading", 100) as tell:
        assert tell is not None
        tell(50)
    assert "reading" in terminal.getvalue()
