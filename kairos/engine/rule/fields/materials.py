"""`materials.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import (
    NAMED,
)
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Field,
    MapOf,
    Record,
    Text,
)

# No user or password in an address, and nothing that would end the attribute of a page that it is put into.
_REST = r'[^\s"<>\\^`{|}]*'
_WEB = rf'https?://[^\s/?#@"<>\\^`{{|}}]+([/?#]{_REST})?'
_URL = Text("an address such as https://shop.example.com/sale", _WEB, longest=2_000)
_APP = r"(?!javascript|vbscript|data|file|https?:)[a-z][a-z0-9.+-]*://"
_LINK = Text("an address such as https://shop.example.com/sale, or an app's own: shop://sale", rf"{_WEB}|{_APP}{_REST}",
             longest=2_000)  # fmt: skip
_LINE = Text("text of one line", r"[^\n\r]*\S[^\n\r]*")

MINI_PROGRAM = Record(
    "mini_program",
    "A page of a mini-program, inside WeChat and the like.",
    (
        Field("appid", Text("the app id of a mini-program", r"[A-Za-z0-9_-]+", longest=100), "Which one.", REQUIRED),
        Field(
            "path", Text("a page such as pages/sale?id=1", r"[^\s]+"), "Which page of it.", shown_default="its first"
        ),
    ),
)

MATERIAL = Record(
    "material",
    "What several messages show; templates read it as `material.<name>.<field>`.",
    (
        Field("title", _LINE, "Its headline."),
        Field("text", Text(longest=10_000), "A text."),
        Field("image", _URL, "The address of a picture."),
        Field("link", _LINK, "Where a tap or click leads."),
        Field("mini_program", MINI_PROGRAM, "Where a tap leads inside WeChat."),
    ),
)
MATERIALS = MapOf("material", NAMED, MATERIAL)
