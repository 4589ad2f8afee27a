"""Types that several files share."""

from __future__ import annotations

from kairos.engine.channel import CHANNELS
from kairos.engine.expression.scope import PROP_TYPES
from kairos.engine.rule.fields.types import Choice, Expression, ListOf, Text, TimeZone
from kairos.engine.rule.text.scalars import EVENT_TYPE, NAME, PROP

NAMED = Text("a name (a-z, then a-z, 0-9 and _)", NAME, longest=100)
NAMED_PROP = Text("the name of a prop (letters, digits and _)", PROP, longest=100)
FREE_NAME = Text("a name (letters, digits and _)", PROP, longest=100)
SUBJECT = Text("the name of an activity, or of a step of a journey: welcome.hello", rf"{NAME}(\.{NAME})?", longest=201)
NAMES = ListOf(NAMED)
EVENT = Text("an event type (small letters, 0-9, _ and dots inside)", EVENT_TYPE, longest=100)
EVENTS = ListOf(EVENT, shortest=1, one=True)
USER = Text("a user id", longest=200, loose=True)
CHANNEL = Choice(tuple(CHANNELS))
PROP_TYPE = Choice(PROP_TYPES)
ZONE = TimeZone()
CONDITION = Expression(script=True, boolean=True)
RULE = Expression(boolean=True)
VALUE = Expression()
