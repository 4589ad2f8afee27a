"""Whatever is done to a rule folder, lint answers with findings whose places exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.adapters.rules.files import read_folder
from kairos.engine.plan.plan import make, read_plan
from kairos.engine.plan.write import write
from kairos.engine.rule.load import Loaded, load
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.report import Report
from tests.unit.plan.library import HELLO

BASE = Path(__file__).parents[2] / "unit" / "rule" / "base"
FILES = {path: bytes(content) for path, content in read_folder(BASE).items() if isinstance(content, bytes)}
TOKEN = re.compile(rb"[^\s,{}\[\]]+|[{}\[\],]")

TODAY = 1_782_000_000_000
JUNK = st.sampled_from(
    [
        *(b"null", b"~", b"true", b"5", b"-1", b"0", b"1.5", b"[]", b"{}", b"[a, b]", b"{a: b}", b"''", b'"x"', b"yes"),
        *(b"99999999999999999999", b".inf", b".nan", b"*x", b"&x y", b"!!str x", b"<<", b"|\n  x", b"@", b"{", b"}"),
        *(
            b"[",
            b"]",
            b",",
            b":",
            b"- ",
            b"? ",
            b"#",
            b"\t",
            b"\r\n",
            b"\0",
            b"\xff",
            b"\xe2\x80\xa8",
            b"'",
            b'"',
            b"5%",
        ),
        *(
            b"0s",
            b"3651d",
            b"a b",
            b"__class__",
            b'{js: "1"}',
            b"{js: 5}",
            b"redis",
            b"{{ x }}",
            b"{% if %}",
            b"\xc3\xa9",
        ),
        *(
            b"and",
            b"not",
            b"(",
            b")",
            b"==",
            b"order.",
            b"event.type",
            b"metric.x",
            b"in_crowd(1)",
            b"sum(order.amount)",
        ),
    ]
)


@st.composite
def changed(draw: st.DrawFn) -> dict[str, bytes]:
    """The base folder with one to three cuts, swaps or insertions."""
    files = dict(FILES)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(files)))
        files[path] = draw(edited(files[path]))
    return files


@st.composite
def edited(draw: st.DrawFn, content: bytes) -> bytes:
    how = draw(st.sampled_from(["token", "line", "bytes"]))
    tokens = list(TOKEN.finditer(content))
    if how == "token" and tokens:
        token = draw(st.sampled_from(tokens))
        return content[: token.start()] + draw(JUNK) + content[token.end() :]
    if how == "line":
        lines = content.split(b"\n")
        at = draw(st.integers(0, len(lines) - 1))
        lines[at : at + 1] = draw(
            st.sampled_from([[], [lines[at], lines[at]], [b"  " + lines[at]], [lines[at].lstrip()]])
        )
        return b"\n".join(lines)
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(JUNK) + content[at + draw(st.integers(0, 3)) :]


def assert_sound(loaded: Loaded, files: dict[str, bytes]) -> None:
    for finding in loaded.findings:
        lines = re.split(rb"\r\n|\r|\n", files.get(finding.file, b""))
        assert 1 <= finding.line <= len(lines) + 1, finding
        assert 1 <= finding.column <= max(len(line) for line in [*lines, b""]) + 2, finding
        assert finding.message
    assert (loaded.rules is None) == any(finding.level == "error" for finding in loaded.findings)
    assert loaded.findings == sorted(loaded.findings)


@settings(max_examples=300)
@given(changed())
def test_edits(files: dict[str, bytes]) -> None:
    assert_sound(load(files, today=TODAY), files)


@settings(max_examples=200)
@given(edited(HELLO.encode()))
def test_plans(content: bytes) -> None:
    """What is read without an error becomes files, whatever lint says of those."""
    report = Report("hello.yaml")
    plan = read_plan(content, report)
    assert (plan is None) == report.failed
    files = {"hello.yaml": content}
    assert_sound(Loaded(None if plan is None else RuleSet(), sorted(report.findings)), files)
    if plan is not None:
        written = write(make(plan, plan.defaults()), "hi")
        made = {path: text.encode() for path, text in (written.own | written.texts).items()}
        assert_sound(load(made), made)


@settings(max_examples=200)
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200))
def test_any_bytes(path: str, content: bytes) -> None:
    files = {**FILES, path: content}
    assert_sound(load(files, today=TODAY), files)


@settings(max_examples=100)
@given(st.dictionaries(st.text("/.abyml-", max_size=30), st.binary(max_size=30), max_size=4))
def test_any_paths(files: dict[str, bytes]) -> None:
    assert_sound(load(files), files)


@pytest.mark.parametrize("path", sorted(FILES))
def test_cut_off_anywhere(path: str) -> None:
    for at in range(0, len(FILES[path]), 7):
        files = {**FILES, path: FILES[path][:at]}
        assert_sound(load(files, today=TODAY), files)
