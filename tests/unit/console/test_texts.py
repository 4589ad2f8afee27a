"""The texts of the console: each language has all of them, and nothing else; what is vendored is what it says it is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import kairos.apps.console as console
from kairos.apps.console.texts import LANGUAGES, read_texts

FOLDER = Path(console.__file__).parent
TEMPLATES = "".join(path.read_text() for path in sorted((FOLDER / "templates").glob("*.html")))
FIELD = re.compile(r"{\w+}")


def test_each_language_has_the_same_texts_with_the_same_fields() -> None:
    texts = read_texts()
    first = texts[next(iter(LANGUAGES))]
    for language in LANGUAGES:
        assert list(texts[language]) == list(first)
        for key, text in texts[language].items():
            assert text.strip(), key
            assert sorted(FIELD.findall(text)) == sorted(FIELD.findall(first[key])), key


def test_every_text_of_a_template_is_there_and_every_text_is_used() -> None:
    known = read_texts()["en"]
    whole = set(re.findall(r't\("([\w.-]+)"(?! ~)', TEMPLATES))
    begun = set(re.findall(r't\("([\w.-]+\.)" ~', TEMPLATES))
    assert whole <= set(known)
    assert all(any(key.startswith(begin) for key in known) for begin in begun)
    rest = {key for key in known if key not in whole and not key.endswith(".title")}
    assert {key for key in rest if not any(key.startswith(begin) for begin in begun)} == set()


def test_what_is_vendored_is_unchanged() -> None:
    rows = re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (FOLDER / "assets" / "README.md").read_text(), re.M)
    assert {name for name, _ in rows} == {path.name for path in (FOLDER / "assets").glob("*.min.*")}
    for name, expected in rows:
        assert hashlib.sha256((FOLDER / "assets" / name).read_bytes()).hexdigest() == expected
