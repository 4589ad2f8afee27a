"""What commands print fits a terminal of 80 columns, or a pipe read by people, and nothing in it is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from kairos.apps.view import terminal
from kairos.apps.view.comparison import rows_of
from kairos.apps.view.measures import table_lines
from kairos.apps.view.screen import PLAIN_WIDTH, lay, put, screen, table
from kairos.apps.view.terminal import fitted
from kairos.engine.compare.report import COUNTS, Row

LONG = "an_activity_with_a_name_that_is_rather_long"


def printed(thing: object) -> str:
    out = io.StringIO()
    screen(out).print(thing)
    return out.getvalue()


def fits(text: str) -> bool:
    return max(map(len, text.splitlines())) <= PLAIN_WIDTH and "…" not in text


def test_a_cell_is_folded_and_never_cut() -> None:
    made = table("activity", "sends", "by", right={"sends"})
    made.add_row(LONG, "1,234,567", "quiet_hours 1,234 " * 9 + "x" * 50)
    text = printed(made)
    assert fits(text)
    assert LONG in text
    assert text.count("x") == 50
    assert text.count("quiet_hours") == 9


def test_a_line_goes_on_below_with_its_words_whole() -> None:
    out = io.StringIO()
    put(screen(out), f"{LONG} " * 4, 2, hang=3)
    assert out.getvalue().splitlines() == [f"  {LONG}", f"     {LONG}", f"     {LONG}", f"     {LONG}"]


def test_columns_come_closer_before_one_is_folded() -> None:
    out = io.StringIO()
    made = table("activity", "re_reasoned", "sends", ruled=False)
    made.add_row("a" * 60, "1,234", "12")
    lay(screen(out), made)
    assert out.getvalue().splitlines()[0].split() == ["activity", "re_reasoned", "sends"]


def test_a_head_is_broken_between_words_before_inside_of_one() -> None:
    out = io.StringIO()
    made = table("activity", "re_reasoned", "sends", ruled=False)
    made.add_row("a" * 63, "1,234", "1,234")
    lay(screen(out), made)
    first, second, *_ = out.getvalue().splitlines()
    assert (first.split(), second.split()) == (["re_"], ["activity", "reasoned", "sends"])


def test_a_comparison_of_many_classes_fits() -> None:
    row = Row(LONG, **dict.fromkeys(COUNTS, 123_456))
    assert fits(printed(rows_of("activity", [(LONG, row)])))


@pytest.mark.parametrize("columns", [80, 40])
def test_on_a_terminal_a_record_goes_on_below_and_in_a_pipe_it_is_a_line(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"A      12.5  user_0001             {'cart 9.0, last 2024-06-29; ' * 6}".rstrip()
    assert fitted(line, 35) == line
    monkeypatch.setattr(terminal, "terminal_width", lambda: columns)
    first, *rest = fitted(line, 35).splitlines()
    assert len(first) <= max(columns, 55)
    assert all(each.startswith(" " * 35) and len(each) <= max(columns, 55) for each in rest)
    assert " ".join(fitted(line, 35).split()) == " ".join(line.split())


def test_answers_of_the_warehouse_stand_a_field_a_line_where_they_are_wider() -> None:
    rows = [{f"field_{number}": f"value {number} " * 3 for number in range(12)}]
    lines = table_lines(rows, PLAIN_WIDTH)
    assert fits("\n".join(lines))
    assert len(table_lines(rows)) == 2


def test_the_width_of_a_pipe_is_that_of_a_terminal() -> None:
    assert isinstance(screen(), Console)
    assert screen().width == PLAIN_WIDTH == 80
