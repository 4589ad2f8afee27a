"""Every block of the documentation is true: files are quoted as they are, commands print what is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kairos.apps.cli import COMMANDS
from kairos.apps.native.settings import data_folder
from kairos.usecases.operation.dataset.clickstream import prepare
from tests.unit.project.snippets import PICTURES, ROOT, Snippet, agrees, commands, make_workspace, play, snippets

PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = ("reference.md",)  # its own test keeps it fresh
WRITTEN = [page for page in PAGES if page.name not in GENERATED]


def with_option(page: Path, option: str) -> list[Snippet]:
    return [snippet for snippet in snippets(page) if option in snippet.options]


@pytest.fixture(scope="session")
def data() -> Path:
    return prepare(data_folder() / "data").events.parent


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_block_is_of_a_kind_that_is_checked(page: Path) -> None:
    for snippet in snippets(page):
        known = (
            snippet.language == "console"
            or snippet.language in PICTURES
            or {"file", "from", "of"} & set(snippet.options)
        )
        assert known, f"{page.name}:{snippet.first}: say what this {snippet.language} block is (see snippets.py)"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_what_is_quoted_stands_in_its_file(page: Path) -> None:
    for snippet in with_option(page, "from"):
        source = (ROOT / snippet.options["from"]).read_text(encoding="utf-8")
        assert snippet.text in source, f"{page.name}:{snippet.first}: not in {snippet.options['from']}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_commands_that_are_not_run_here_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for snippet in with_option(page, "check"):
        for command in commands(snippet):
            for target in re.findall(r"\bmake ([a-z-]+)", command.text):
                assert target in targets, f"{page.name}:{command.line}: the Makefile has no target {target}"
            for name in re.findall(r"\bkairos ([a-z-]+)", command.text):
                assert name in COMMANDS, f"{page.name}:{command.line}: there is no command kairos {name}"


@pytest.mark.timeout(600)  # a page is many commands
@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_commands_print_what_is_shown(page: Path, tmp_path: Path, data: Path, warm_kairos: Path) -> None:
    workspace = tmp_path / "kairos"
    make_workspace(workspace, data)
    for command, printed in play(page, workspace, warm_kairos):
        expected = "\n".join(command.shown)
        assert agrees(command.shown, printed), (
            f"{page.name}:{command.line}: `{command.text}` printed\n" + "\n".join(printed) + f"\n-- shown:\n{expected}"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target, place in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        where = page.parent / target if target else page
        assert where.exists(), f"{page.name}: {target} is not there"
        assert not place or place in _places(where), f"{page.name}: {target} has no #{place}"


def _places(page: Path) -> set[str]:
    """What `#...` may name in a page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "]", text).lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize(
    ("shown", "printed", "agree"),
    [
        (("a", "b"), ["a", "b", ""], True),
        (("a", "..."), ["a", "b", "c"], True),
        (("...", "c"), ["a", "b", "c"], True),
        (("a ... c",), ["a b c"], True),
        (("a",), ["a", "b"], False),
        (("a", "...", "d"), ["a", "b", "c"], False),
        ((), [], True),
        ((), ["a"], False),
        (("a.c",), ["abc"], False),
    ],
)
def test_how_shown_and_printed_are_compared(shown: tuple[str, ...], printed: list[str], agree: bool) -> None:
    assert agrees(shown, printed) is agree
