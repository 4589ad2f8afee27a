"""Files that are meant to hurt: each is one finding, soon, whatever is in it."""

from __future__ import annotations

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.rule.load import Unreadable, load
from kairos.engine.rule.text.nodes import MAX_DEPTH, MAX_NODES, YamlError, read_yaml
from tests.unit.rule.rows import BASE

FILE = "activities/views/browsed.yaml"


def only_finding(content: bytes) -> str:
    """What is said of FILE with this content: exactly one error."""
    loaded = load({FILE: content})
    assert loaded.rules is None
    assert [f.file for f in loaded.findings] == [FILE]
    return str(loaded.findings[0]).removeprefix(f"{FILE}:")


HOSTILE = {
    "not_utf8": (
        b"activity: browsed\ntitle: caf\xe9\n",
        "2:11: error: not UTF-8 (byte 0xe9); save as UTF-8 [encoding]",
    ),
    "utf16": ("activity: x\n".encode("utf-16"), "1:1: error: not UTF-8 (byte 0xff); save as UTF-8 [encoding]"),
    "nul": (b"activity: brow\0sed\n", "1:15: error: the control character U+0000 is not allowed [control-character]"),
    "escape": (b"title: \x1b[31mred\n", "1:8: error: the control character U+001B is not allowed [control-character]"),
    "bom_inside": (
        "a: 1\n\ufeffb: 2\n".encode(),
        "2:1: error: the control character U+FEFF is not allowed [control-character]",
    ),
    "too_large": (b"#" * (1 << 20) + b"\n", "1:1: error: the file is larger than 1 MB; split it [file-size]"),
    "brackets": (b"[" * 900_000, f"1:{MAX_DEPTH + 1}: error: nested deeper than 50 levels [yaml-depth]"),
    "braces": (b"{a: " * 200_000, f"1:{4 * MAX_DEPTH - 2}: error: nested deeper than 50 levels [yaml-depth]"),
    "dashes": (b"- " * 400_000, f"1:{2 * MAX_DEPTH + 1}: error: nested deeper than 50 levels [yaml-depth]"),
    "questions": (b"? " * 400_000, f"1:{2 * MAX_DEPTH + 1}: error: nested deeper than 50 levels [yaml-depth]"),
    "many_values": (
        b"a: [" + b"x," * MAX_NODES + b"]",
        "1:19999: error: more than 10,000 values in one file, aliases filled in [yaml-size]",
    ),
    "only_a_comment": (b"# nothing\n", "1:1: error: the file is empty: expected an activity [empty]"),
    "only_a_bom": (b"\xef\xbb\xbf", "1:1: error: the file is empty: expected an activity [empty]"),
    "no_bytes": (b"", "1:1: error: the file is empty: expected an activity [empty]"),
    "null": (b"null\n", "1:1: error: activity: expected a mapping with the keys"),
}


@pytest.mark.parametrize(("content", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_one_finding(content: bytes, said: str) -> None:
    assert only_finding(content).startswith(said)


def test_an_alias_bomb_costs_what_it_stands_for() -> None:
    """Nine levels of nine aliases: 387 million values from 600 bytes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "more than 10,000 values in one file" in only_finding("\n".join(lines).encode())


def test_aliases_cannot_nest_deeper_than_written_values() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    assert "nested deeper than 50 levels once *a" in only_finding("\n".join(lines).encode())


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH])
def test_fifty_levels_are_allowed(depth: int) -> None:
    """The scalar inside is a level of its own."""
    node = read_yaml("[" * (depth - 1) + "x" + "]" * (depth - 1))
    assert node is not None
    assert node.height == depth


def test_one_level_more_is_not() -> None:
    with pytest.raises(YamlError):
        read_yaml("[" * MAX_DEPTH + "x" + "]" * MAX_DEPTH)


def test_crlf_and_a_byte_order_mark_change_nothing() -> None:
    files = read_folder(BASE)
    windows = {
        path: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n") if isinstance(content, bytes) else content
        for path, content in files.items()
        if not path.endswith(".liquid")
    }
    plain, other = load(files), load({**files, **windows})
    assert other.findings == []
    assert other.rules == plain.rules


def test_places_are_those_of_the_text_with_crlf_and_byte_order_mark() -> None:
    loaded = load({FILE: b"\xef\xbb\xbfactivity: browsed\r\ntrigger:\r\n  event: login\r\nstat: live\r\n"})
    assert [(f.line, f.column, f.code) for f in loaded.findings] == [(4, 1, "unknown-key")]


def test_yaml_1_1_words_are_text() -> None:
    node = read_yaml("[yes, no, on, off, 22:00, 1_000, 0b11, 017, 2026-01-01, 1e3, 0x1F, 0o17, ~, 'true', .inf, -.5]")
    assert node is not None
    values = [item.value for item in node.items]
    assert values[:7] == ["yes", "no", "on", "off", "22:00", "1_000", "0b11"]
    assert values[7:] == [17, "2026-01-01", 1000.0, 31, 15, None, "true", float("inf"), -0.5]


def test_what_could_not_be_read_is_reported_with_its_reason() -> None:
    loaded = load({"policy.yaml": Unreadable("the link leads out of the rule folder")})
    assert [str(f) for f in loaded.findings] == [
        "policy.yaml:1:1: error: the link leads out of the rule folder [unreadable]"
    ]


def test_a_folder_without_rules_is_an_error() -> None:
    loaded = load({})
    assert loaded.rules is None
    assert [f.code for f in loaded.findings] == ["no-rules"]


def test_a_file_that_cannot_be_read_is_not_reported_again_where_its_names_are_used() -> None:
    files = {**read_folder(BASE), "metrics.yaml": b"a: [", "crowds.yaml": b"\xff", "policy.yaml": b"a: b: c"}
    loaded = load(files)
    assert sorted({(f.file, f.code) for f in loaded.findings}) == [
        ("crowds.yaml", "encoding"),
        ("metrics.yaml", "yaml-syntax"),
        ("policy.yaml", "yaml-syntax"),
    ]


@pytest.mark.parametrize("tag", ["if x", "for i in (1..3)", "unless x"])
def test_templates_nested_without_end_are_a_finding(tag: str) -> None:
    word = tag.split()[0]
    text = f"{{% {tag} %}}" * 3_000 + f"{{% end{word} %}}" * 3_000
    loaded = load({**read_folder(BASE), "templates/thanks.push.liquid": text.encode()})
    assert "templates/thanks.push.liquid" in {f.file for f in loaded.findings if f.level == "error"}


@pytest.mark.timeout(20)
def test_crowds_that_ask_others_without_end() -> None:
    """A chain of 1,900 is too deep from the fifty-first on, which is told once; in a ring each is told."""
    chain = "".join(f"c{n}: {{union: [c{n + 1}]}}\n" for n in range(1900)) + "c1900: {members: redis}\n"
    assert [(f.line, f.code) for f in load({"crowds.yaml": chain.encode()}).findings] == [(1901 - 50, "crowd-depth")]
    ring = "".join(f"c{n}: {{union: [c{(n + 1) % 1900}]}}\n" for n in range(1900))
    assert {f.code for f in load({"crowds.yaml": ring.encode()}).findings} == {"crowd-cycle"}


def test_a_pattern_has_a_hundred_steps_at_most() -> None:
    def findings(steps: int) -> list[str]:
        text = "activity: browsed\ntrigger:\n  within: 1d\n  pattern:\n" + "".join(
            f"    - event: e{n}\n" for n in range(steps)
        )
        return [f.code for f in load({FILE: text.encode()}).findings]

    assert findings(100) == []
    assert findings(101) == ["bad-length"]
