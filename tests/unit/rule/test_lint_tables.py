"""What lint says: golden tables of edits of a valid rule folder (rows.py describes them)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine import rule
from kairos.engine.pattern import check
from kairos.engine.rule.load import load
from tests.unit.rule.lintcheck import TODAY, said
from tests.unit.rule.rows import BASE, TABLES, Row, UnreadableRow, read_rows

ROWS = [(table.stem, row) for table in sorted(TABLES.glob("*.txt")) for row in read_rows(table)]
RULE_PACKAGE = Path(rule.__path__[0])


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table}-{row.line}" for table, row in ROWS])
def test_every_finding_of_a_row_is_said_at_its_place(table: str, row: Row) -> None:
    expected = [finding.removeprefix(f"{row.edits[-1][0]}:") for finding in row.findings]
    assert said(row, read_folder(BASE)) == expected


def test_the_base_of_all_rows_is_without_findings() -> None:
    loaded = load(read_folder(BASE), today=TODAY)
    assert loaded.findings == []
    assert loaded.rules is not None


def codes_in_source() -> set[str]:
    """The codes of all findings: literals in the calls that make them."""
    position = {"error": 1, "warning": 1, "at": 3, "inside": 3, "YamlError": 2, "_error": 1, "_Refused": 0, "_at": 3}
    found: set[str] = set()
    for path in RULE_PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            on_places = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "places"
            wanted = (
                [2]
                if name == "_problem" or on_places
                else [1]
                if name == "TemplateProblem"
                else [position.get(name, 99)]
            )
            for index in wanted:
                if index < len(node.args) and isinstance(node.args[index], ast.Constant):
                    found.add(str(node.args[index].value))
    return {code for code in found if re.fullmatch(r"[a-z]+(-[a-z]+)*", code)}


def test_every_code_has_a_row() -> None:
    shown = {re.split(r"[ :]", finding.split(" ", 2)[2])[0] for _, row in ROWS for finding in row.findings}
    elsewhere = {"encoding", "file-size", "unreadable", "no-rules"} | {"yaml-depth", "yaml-size", "crowd-depth"}
    elsewhere |= {"template-depth", "template-renders"}
    assert codes_in_source() - shown - elsewhere == set()


def test_every_refusal_of_a_pattern_has_a_row() -> None:
    text = Path(check.__file__).read_text(encoding="utf-8")
    codes = {code.replace("_", "-") for code in re.findall(r'PatternProblem\(\s*\w+,\s*f?"([a-z_]+)"', text)}
    shown = {finding.split(" ", 2)[2].split(":")[0] for _, row in ROWS for finding in row.findings}
    reported_as_written = {"bad-times"}
    impossible = {"no-steps"}  # an empty list is refused before
    assert codes - shown - impossible - reported_as_written == set()


@pytest.mark.parametrize(
    "text",
    [
        "activities/orders/order_unpaid.yaml: state: live => state: lived\n",
        "activities/orders/order_unpaid.yaml: state: live\n  silent\n",
        "activities/orders/order_unpaid.yaml: state: live => x\n  4:8 error: no code\n",
        "activities/orders/order_unpaid.yaml: state: live => x\n 4:8 error bad: one space\n",
        "  silent\n",
    ],
)
def test_an_unreadable_row_fails(text: str, tmp_path: Path) -> None:
    table = tmp_path / "table.txt"
    table.write_text(text)
    with pytest.raises(UnreadableRow):
        read_rows(table)


def test_an_edit_of_what_is_not_there_fails() -> None:
    row = Row(1, [("policy.yaml", "replace", "no such text", "x")], silent=True)
    with pytest.raises(UnreadableRow):
        said(row, read_folder(BASE))
