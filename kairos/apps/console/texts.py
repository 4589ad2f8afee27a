"""Every word of the console, in each language: texts/<language>.yaml, by key."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

import yaml

LANGUAGES = {"en": "English", "zh": "中文"}
"""Code -> how it calls itself. The first is spoken to whoever asks for none of them."""

Texts = Mapping[str, str]


def read_texts() -> dict[str, Texts]:
    folder = files("kairos.apps.console").joinpath("texts")
    return {code: yaml.safe_load(folder.joinpath(f"{code}.yaml").read_text(encoding="utf-8")) for code in LANGUAGES}


def language_of(asked: str | None, kept: str | None, accepted: str) -> str:
    """`asked`: by the URL, `kept`: in a cookie, `accepted`: the browser's header Accept-Language."""
    for code in (asked, kept):
        if code in LANGUAGES:
            return str(code)
    for part in accepted.split(","):
        code = part.partition(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return next(iter(LANGUAGES))
