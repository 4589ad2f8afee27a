"""The fenced blocks of the documentation, and how each kind is held to the truth.

What stands after the language in the opening line of a block says what it is:

    ```yaml file=shop/metrics.yaml   written into the page's workspace, for the commands further down
    ```diff of=kairos/apps/cli.py    a change of that file, made in a copy of the sources that belongs to the workspace
    ```yaml from=rules/policy.yaml   a part of that file, word for word
    ```console                       each `$ command` is run in the workspace, and prints what is shown below it;
                                     a line of three dots stands for any lines, three dots in a line for any text
    ```console check                 not run here; its `make` targets and `kairos` commands exist
    ```mermaid, ```text              pictures and forms: nothing to run

A workspace holds copies of `rules/` and `plans/`, and the example data, so pages can show what the commands say about
them. A page that adds to the sources has a copy of them too, which `python -m kairos` then runs. To write the output of
all commands of a page anew: `python tests/unit/project/snippets.py PAGE...`
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ("mermaid", "text")
SECONDS = 120

_FENCE = re.compile(r"^```(\w+)[ \t]*(.*)$")


@dataclass(frozen=True)
class Snippet:
    """`first` is the index of its first content line in the page, `last` that of the closing fence."""

    first: int
    last: int
    language: str
    options: dict[str, str]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True)
class Command:
    """A `$ ` line and what is shown as its output; `line` counts from 1."""

    line: int
    text: str
    shown: tuple[str, ...]


def snippets(page: Path) -> list[Snippet]:
    """All blocks of the page. An indented block or one without a language fails: nobody would check it."""
    lines = page.read_text(encoding="utf-8").splitlines()
    found: list[Snippet] = []
    inside: tuple[int, str, dict[str, str]] | None = None
    for number, line in enumerate(lines):
        if inside is not None and line == "```":
            first, language, options = inside
            found.append(Snippet(first, number, language, options, tuple(lines[first:number])))
            inside = None
        elif inside is None and line.lstrip().startswith("```"):
            fence = _FENCE.match(line)
            assert fence, f"{page.name}:{number + 1}: a block needs a language, and no indentation"
            pairs = (word.partition("=") for word in fence[2].split())
            inside = (number + 1, fence[1], {key: value for key, _, value in pairs})
    assert inside is None, f"{page.name}: a block is not closed"
    return found


def commands(snippet: Snippet) -> list[Command]:
    found: list[Command] = []
    for number, line in enumerate(snippet.lines, start=snippet.first + 1):
        if line.startswith("$ "):
            found.append(Command(number, line[2:], ()))
        elif found:
            last = found.pop()
            found.append(Command(last.line, last.text, (*last.shown, line)))
        else:
            raise AssertionError(f"line {number}: a console block begins with a `$ command`")
    return found


def make_workspace(folder: Path, data: Path) -> None:
    for name in ("rules", "plans"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*"))  # what people did to them
    (folder / ".kairos").mkdir()
    (folder / ".kairos" / "data").symlink_to(data)


def run(command: str, workspace: Path, kairos: Path) -> list[str]:
    """What the command prints, on both streams, as lines; paths as seen from the workspace."""
    places = (str(kairos.parent), str(Path(sys.executable).parent), os.environ["PATH"])
    environment = os.environ | {"PATH": ":".join(places), "COLUMNS": "100"}
    for name in ("KAIROS_DATA", "FORCE_COLOR"):
        environment.pop(name, None)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=workspace,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return [line.rstrip() for line in done.stdout.replace(f"{workspace.resolve()}/", "").splitlines()]


def agrees(shown: tuple[str, ...], printed: list[str]) -> bool:
    """Blank lines at the end do not count; `...` stands for whatever is there."""
    pattern = ""
    for line in _stripped(list(shown)):
        pattern += r"(.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _stripped(printed))) is not None


def _stripped(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [line.rstrip() for line in lines]


def play(page: Path, workspace: Path, kairos: Path) -> Iterator[tuple[Command, list[str]]]:
    """Everything the page does, in its order: files are written, commands are run and yielded with what they print."""
    if any("of" in snippet.options for snippet in snippets(page)):
        shutil.copytree(ROOT / "kairos", workspace / "kairos", ignore=shutil.ignore_patterns("__pycache__"))
    for snippet in snippets(page):
        if "of" in snippet.options:
            change(workspace / snippet.options["of"], snippet)
        elif "file" in snippet.options:
            path = workspace / snippet.options["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.text, encoding="utf-8")
        elif snippet.language == "console" and "check" not in snippet.options:
            for command in commands(snippet):
                yield command, run(command.text, workspace, kairos)


def change(path: Path, snippet: Snippet) -> None:
    """What stands without `+` is in the file, once; it becomes what stands without `-`. `...` leaves lines out."""
    text = path.read_text(encoding="utf-8")
    hunks = snippet.text.split("...\n")
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        after = "".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(before) == 1, f"{path.name}: what is to be changed is not there, or not once:\n{before}"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def rewrite(page: Path, workspace: Path, kairos: Path) -> None:
    """Puts what the commands print now in the place of what is shown; outputs with `...` stay where they agree."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for command, printed in reversed(list(play(page, workspace, kairos))):
        if not agrees(command.shown, printed):
            lines[command.line : command.line + len(command.shown)] = _stripped(printed)
    page.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main(pages: list[str]) -> None:
    sys.path.insert(0, str(ROOT))
    from kairos.usecases.operation.dataset.clickstream import prepare

    data = ROOT / ".kairos" / "data"
    prepare(data)
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            make_workspace(Path(folder) / "kairos", data)
            rewrite(Path(page), Path(folder) / "kairos", Path(sys.executable).with_name("kairos"))


if __name__ == "__main__":
    main(sys.argv[1:])
