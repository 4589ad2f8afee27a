"""The checks, one a file, in the order in which they are told."""

from kairos.apps.audit.checks import budgets, caps, explained, quiet_hours, repeats, sent_once
from kairos.apps.audit.result import Check

CHECKS = (
    Check("sent_once", "no message sent twice", sent_once.check),
    Check("caps", "no cap overshot", caps.check),
    Check("budgets", "no budget overshot", budgets.check),
    Check("quiet_hours", "nothing sent in quiet hours", quiet_hours.check),
    Check("explained", "every send delivered or explained", explained.check),
    Check("repeats", "no decision made twice, differently", repeats.check),
)
