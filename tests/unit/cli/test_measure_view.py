"""`kairos measure` as text: a table where it fits, a field a line where it does not."""

from __future__ import annotations

from kairos.apps.view.measures import as_json, as_table, table_lines
from kairos.engine.measure.money import money_row
from kairos.engine.measure.outcome import MoneyOutcome, MoneyTrial
from kairos.usecases.results.measure import Answer
from tests.unit.page.sample import lift, variants

ROWS = [
    {"arm": "short", "n": 1_200, "interval": [0.01, 0.25], "lost": {"control": 3, "cap:marketing": 4}},
    {"arm": "long", "n": 7, "interval": None, "lost": {f"reason_{number}": number for number in range(20)}},
]


def test_a_table_that_fits_is_one() -> None:
    assert table_lines(ROWS) == table_lines(ROWS, 1_000)
    assert len(table_lines(ROWS)) == 3


def test_the_last_field_of_a_wider_one_goes_on_below_itself() -> None:
    lines = table_lines(ROWS, 80)
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[:3]] == ["arm", "short", "long"]
    start = lines[0].index("lost")
    assert {line[:start].strip() for line in lines[3:]} == {""}
    text = " ".join(line[start:] for line in lines[2:])
    assert all(f"reason_{number} {number}" in text for number in range(20))


def test_where_there_is_no_room_it_stands_upright_and_loses_nothing() -> None:
    lines = table_lines([{"activity": "a" * 30, **row} for row in ROWS], 80)
    assert max(map(len, lines)) <= 80
    assert lines[:5] == [f"  activity  {'a' * 30}", "  arm       short", "  n         1,200",
                         "  interval  [0.01, 0.25]", "  lost      control 3, cap:marketing 4"]  # fmt: skip
    assert lines[5] == ""
    text = " ".join(" ".join(lines).split())
    assert all(f"reason_{number} {number}" in text for number in range(20))


def test_a_funnel_is_a_table_of_its_steps() -> None:
    lost = {"unreachable": 80, **{f"cap:{name * 9}": 120 for name in "abcd"}}
    row = {"activity": "cart_left", "step": "reachable", "occurrences": 1, "users": 1, "of_previous": 0.5, "lost": lost}
    told = as_table([Answer("reach/cart_left", "reach", 0, [{**row, "step": "entered", "lost": {}}, row])], 80)
    assert [line.split()[0] for line in told.splitlines()[1:4]] == ["step", "entered", "reachable"]
    assert "cap:ddddddddd 120" in " ".join(told.split())


def money(*treated: MoneyOutcome) -> Answer:
    control = [MoneyOutcome("control", 100 / 3, 10, 0, 1, 30), MoneyOutcome("control", 0, 0, 0, 0, 70)]
    row = money_row("cart_left", [MoneyTrial([*control, *treated], {"control": 0.5, "treated": 0.5})])
    return Answer("money/cart_left", "money", 0, [row])


def test_money_is_told_to_the_hundredth_with_its_currency_and_in_words() -> None:
    answer = money(MoneyOutcome("treated", 100 / 3, 10, 0.1, 1, 90), MoneyOutcome("treated", 0, 0, 0.1, 0, 10))
    told = as_table([answer], 80, "EUR")
    assert told.startswith("money/cart_left (money in EUR, as of ")
    assert "  value                 3,000\n" in told  # 2,999.9999999999995, as it is summed
    assert "It made 590.00 (" in told
    assert '"value": 2999.9999' in as_json([answer]) or '"value": 3000.0' in as_json([answer])


def test_money_of_which_nothing_can_be_said_is_not_told_in_figures() -> None:
    same = money(MoneyOutcome("treated", 100 / 3, 10, 0, 1, 30), MoneyOutcome("treated", 0, 0, 0, 0, 70))
    assert "Not told yet whether it made or lost anything: −" in as_table([same])
    worse = money(MoneyOutcome("treated", 0, 0, 5, 0, 100))
    assert "It lost 800.00 (" in as_table([worse])
    assert "there is no control group" in as_table([Answer("m", "money", 0, [money_row("a", [])])])


def test_a_lift_is_told_in_words_for_people_alone() -> None:
    given = lift("cart_left", (60, 400), (1_330, 6_000))
    answer = Answer("lift/cart_left", "lift", 0, given["rows"])
    assert "beyond what happens anyway." in as_table([answer])
    assert "says" not in as_json([answer])
    told = as_table([Answer("lift/a", "lift", 0, variants("a")["rows"])])
    assert "mid: Not told yet" in told
    assert "short: Worse by 6.0 points" in told
