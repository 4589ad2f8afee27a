"""What is kept of the warehouse's answers: asked once by however many, anew once it is another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from kairos.apps.console.answers import MOST, Answers, Looks


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


def test_who_comes_while_somebody_looks_is_told_of_what_is_then(tmp_path: Path) -> None:
    began, go_on, found = Event(), Event(), list[int]()

    def look(_warehouse: Path) -> int:
        found.append(len(found))
        if found == [0]:
            began.set()
            go_on.wait(60)
        return found[-1]

    looks = Looks(look)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(looks.of, tmp_path)
        began.wait(60)
        later = pool.submit(looks.of, tmp_path)
        go_on.set()
        assert first.result(60) == 0
        assert later.result(60) == 1
    assert looks.of(tmp_path) == 2


def test_a_look_that_failed_is_none(tmp_path: Path) -> None:
    tries = iter([ZeroDivisionError(), 7])

    def look(_warehouse: Path) -> int:
        found = next(tries)
        if isinstance(found, Exception):
            raise found
        return found

    looks = Looks(look)
    with pytest.raises(ZeroDivisionError):
        looks.of(tmp_path)
    assert looks.of(tmp_path) == 7


def test_a_page_is_of_one_time_and_the_next_one_of_its_own(tmp_path: Path) -> None:
    file, answers = tmp_path / "profiles" / "00000001.parquet", Answers()
    file.parent.mkdir()
    page = answers.of_page()
    assert page.get(tmp_path, "question", lambda: "before") == "before"
    file.write_text("another")
    assert page.get(tmp_path, "question", lambda: "after") == "before"
    assert page.known(tmp_path, "question")
    following = answers.of_page()
    assert not following.known(tmp_path, "question")
    assert following.get(tmp_path, "question", lambda: "after") == "after"
    assert answers.get(tmp_path, "question", lambda: "never asked") == "after"
