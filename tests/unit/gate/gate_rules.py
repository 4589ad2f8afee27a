"""The rules that most gates are tested with."""

from __future__ import annotations

ORDER = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"


WATCH = "activity: a\ntrigger: {event: order}\n"


POLICY = "quiet_hours: {from: '22:00', to: '08:00'}\nlists: {black: [bad, both], white: [good, both]}\n"
