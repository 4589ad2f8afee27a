"""Types that several files share."""

from __future__ import annotations

from kairos.engine.expression.scope import PROP_TYPES
from kairos.engine.rule.fields.types import Choice, Expression, ListOf, Text, TimeZone
from kairos.engine.rule.text.scalars import NAME, PROP

NAMED = Text("a name (a-z, then a-z, 0-9 and _)", NAME, longest=100)
NAMED_PROP = Text("the name of a prop (letters, digits and _)", PROP, longest=100)
FREE_NAME = Text("a name (letters, digits and _)", PROP, longest=100)
NAMES = ListOf(NAMED)
EVENTS = ListOf(NAMED, shortest=1, one=True)
USER = Text("a user id", longest=200, loose=True)
CHANNEL = Choice(("sms", "push", "wechat", "email", "webhook", "in_app", "console", "file"))
PROP_TYPE = Choice(PROP_TYPES)
ZONE = TimeZone()
CONDITION = Expression(script=True, boolean=True)
RULE = Expression(boolean=True)
VALUE = Expression()
