"""What other parts say in English, in the reader's language: findings, errors, measures, reasons, why and why not.

The files texts/*.<language>.yaml have it: what is written -> how it is said. `{}` stands for anything, which is told in
its turn, `{=}` for names, `{.}` for one name without blanks and `{#}` for a number, which stay; of two that fit, the
one with more words goes first. A language without such files hears all as it is written.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from html import unescape
from importlib.resources import files
from itertools import zip_longest

import yaml
from markupsafe import Markup, escape

Say = Callable[[str], str]

LONGEST = 2_000
"""Characters of a line; nobody writes longer sentences, so what is longer stays as it is."""
DEEPEST = 8
"""Sentences inside of sentences."""
MOST_JOINTS = 5
"""Parts with commas between them that may be one sentence."""

_HOLE = re.compile(r"{[=#.]?}")
_FILLED = re.compile(r"{[=#.]?(\d*)}")
_TAKES = {"{}": "(.+?)", "{=}": "(.+?)", "{.}": r"([\w.]+)", "{#}": r"([-+]?[\d.,]+%?)"}
_WORD = re.compile(r"\w+")
_NAMED = re.compile(r"(?P<name>[^,;]+?): (?P<rest>.+)", re.S)
_NO_KEY = "((?:(?!: ).)+?)"
"""What a sentence begins with; the key before it is told apart."""
_HAN = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
_BETWEEN_HAN = re.compile(f"(?<={_HAN}) (?={_HAN})")
_COUNTED = re.compile(r"(?P<word>[^\d].*?) (?P<number>[\d,.]+)")
_IN_MARKUP = re.compile(r'(?P<before>aria-label="|title="|>)(?P<text>[^<>"]*[A-Za-z][^<>"]*)(?=["<])')


@lru_cache
def say_in(language: str) -> Say:
    """A sentence nobody has put into words stays as it is written."""
    folder = files("kairos.apps.console").joinpath("texts")
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(f".{language}.yaml"))
    known: dict[str, str] = {}
    for name in found:
        known |= yaml.load(folder.joinpath(name).read_text(encoding="utf-8"), yaml.CSafeLoader)
    return _Words(known).say if known else _as_written


def _as_written(text: str) -> str:
    return text


class _Words:
    def __init__(self, known: Mapping[str, str]) -> None:
        self._whole = {written: said for written, said in known.items() if not _HOLE.search(written)}
        holed = sorted(known.keys() - self._whole.keys(), key=lambda written: (-len(_HOLE.sub("", written)), written))
        self._patterns = [_Pattern(written, known[written]) for written in holed]
        self._with, self._always = _by_word(holed)

    def say(self, text: str) -> str:
        if isinstance(text, Markup):
            return Markup(_IN_MARKUP.sub(self._in_markup, str(text)))
        return self._said(text, 0) or text

    def _said(self, text: str, deep: int) -> str | None:
        """None: nobody has put any of it into words."""
        if text in self._whole:
            return self._whole[text]
        if "\n" in text:
            return self._parts(text, "\n", deep)
        if len(text) > LONGEST or deep > DEEPEST:
            return None
        if (said := self._fitted(text, deep)) is not None:
            return said
        if "; " in text:
            return self._parts(text, "; ", deep)
        if found := _NAMED.fullmatch(text):  # of a key, a step, a channel: its name stays
            rest = self._said(found["rest"], deep + 1)
            return None if rest is None else f"{found['name']}: {rest}"
        for joint in ("or", "and"):
            if (listed := self._listed(*text.rpartition(f" {joint} "), deep)) is not None:
                return listed
        if ", " in text:
            return self._parts(text, ", ", deep)
        if found := _COUNTED.fullmatch(text):
            word = self._said(found["word"], deep + 1)
            return None if word is None else f"{word} {found['number']}"
        return None

    def _fitted(self, text: str, deep: int) -> str | None:
        """By the first pattern that fits. Of several sentences, by one that is of several, too."""

        def told(part: str) -> str:
            return self._said(part, deep + 1) or part

        several = "; " in text
        for pattern in self._that_may_fit(text):
            if pattern.several >= several and (said := pattern.say(text, told)) is not None:
                return said
        return None

    def _listed(self, head: str, joint: str, last: str, deep: int) -> str | None:
        """`a, b or c`: names, which stay, or what is said."""
        if not head or joint.strip() not in self._whole:
            return None
        if " " in head.replace(", ", "") + last:
            said = [self._said(part, deep + 1) for part in (head, last)]
            if said == [None, None]:
                return None
            head, last = said[0] or head, said[1] or last
        return f"{head} {self._whole[joint.strip()]} {last}"

    def _parts(self, text: str, joint: str, deep: int) -> str | None:
        """Each by itself; a part may have a joint inside of it."""
        parts, said, known = text.split(joint), list[str](), False
        while parts:
            together = (joint.join(parts[:number]) for number in range(min(MOST_JOINTS, len(parts)), 1, -1))
            whole = next((part for part in together if part in self._whole or self._fitted(part, deep)), parts[0])
            new = self._said(whole, deep + 1)
            said.append(whole if new is None else new)
            known = known or new is not None
            del parts[: whole.count(joint) + 1]
        return self._whole.get(joint, joint).join(said) if known else None

    def _that_may_fit(self, text: str) -> Iterator[_Pattern]:
        """Of some thousand patterns the few that share their rarest word with the text."""
        numbers = set(self._always).union(*(self._with[word] for word in {*_WORD.findall(text)} & self._with.keys()))
        return (self._patterns[number] for number in sorted(numbers))

    def _in_markup(self, found: re.Match[str]) -> str:
        return found["before"] + str(escape(self.say(unescape(found["text"]))))


def _by_word(patterns: list[str]) -> tuple[dict[str, list[int]], list[int]]:
    """The rarest word of a pattern -> the numbers of such patterns; and those of patterns without a whole word."""
    words = [_words(written) for written in patterns]
    number_of = Counter(word for own in words for word in own)
    found, always = defaultdict(list), []
    for number, own in enumerate(words):
        if own:
            found[min(own, key=lambda word: (number_of[word], word))].append(number)
        else:
            always.append(number)
    return dict(found), always


def _words(written: str) -> set[str]:
    """Those that stand by themselves: what touches a hole may be a part of a longer word."""
    marked = _HOLE.sub("\0", written)
    return {
        found.group()
        for found in _WORD.finditer(marked)
        if "\0" not in marked[max(found.start() - 1, 0) : found.end() + 1]
    }


class _Pattern:
    def __init__(self, written: str, said: str) -> None:
        self.several = "; " in written
        self._written = written
        self._names = [hole != "{}" for hole in _HOLE.findall(written)]
        self._pieces = _FILLED.split(said)

    @cached_property
    def _shape(self) -> re.Pattern[str]:
        """Made when it is needed: of a thousand patterns a page needs some."""
        between, holes = map(re.escape, _HOLE.split(self._written)), _HOLE.findall(self._written)
        takes = [_TAKES[hole] for hole in holes]
        if self._written.startswith(("{}", "{=}")) and ": " not in self._written:
            takes[0] = _NO_KEY
        return re.compile("".join(map("".join, zip_longest(between, takes, fillvalue=""))), re.S)

    def say(self, text: str, told: Say) -> str | None:
        """None: it is another sentence."""
        found = self._shape.fullmatch(text)
        if found is None:
            return None
        parts = zip(found.groups(), self._names, strict=True)
        filled = [part if name else told(part) for part, name in parts]
        places = [int(place) if place else number for number, place in enumerate(self._pieces[1::2])]
        between = (filled[place] for place in places)
        rest = (part + after for part, after in zip(between, self._pieces[2::2], strict=True))
        return _BETWEEN_HAN.sub("", "".join([self._pieces[0], *rest]))
