"""What is kept of the warehouse's answers: asked once by however many, anew once it is another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from kairos.apps.console.answers import MOST, Answers


def test_who_asks_together_is_answered_by_one_asking(tmp_path: Path) -> None:
    answers, asked, together = Answers(), list[int](), Barrier(8)

    def ask(number: int) -> int:
        def work() -> int:
            asked.append(number)
            return number

        together.wait()
        return answers.get(tmp_path, "question", work)

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(ask, range(8)))
    assert said == asked * 8


def test_an_answer_that_failed_is_none(tmp_path: Path) -> None:
    answers = Answers()
    with pytest.raises(ZeroDivisionError):
        answers.get(tmp_path, "question", lambda: 1 / 0)
    assert not answers.known(tmp_path, "question")
    assert answers.get(tmp_path, "question", lambda: 2) == 2


def test_what_changed_while_it_was_asked_is_asked_anew(tmp_path: Path) -> None:
    file, answers = tmp_path / "profiles" / "00000001.parquet", Answers()
    file.parent.mkdir()

    def ask() -> str:
        file.write_text("another")
        return "before"

    assert answers.get(tmp_path, "question", ask) == "before"
    assert not answers.known(tmp_path, "question")
    assert answers.get(tmp_path, "question", lambda: "after") == "after"


def test_so_many_are_kept(tmp_path: Path) -> None:
    answers = Answers()
    for number in range(MOST + 1):
        answers.get(tmp_path, number, int)
    assert [answers.known(tmp_path, number) for number in (0, MOST)] == [False, True]
