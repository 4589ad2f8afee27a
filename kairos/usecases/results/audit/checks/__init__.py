"""The checks, one a file, in the order in which they are told."""

from kairos.usecases.results.audit.checks import (
    budgets,
    caps,
    consent,
    coupons,
    explained,
    handed_over,
    in_time,
    journeys,
    matching,
    nothing_lost,
    people,
    quiet_hours,
    repeats,
    sent_once,
)
from kairos.usecases.results.audit.result import Check

CHECKS = (
    Check("sent_once", "no message sent twice", sent_once.check),
    Check("caps", "no cap overshot", caps.check),
    Check("budgets", "no budget overshot", budgets.check),
    Check("matching", "no slots of a group overshot", matching.check),
    Check("coupons", "no code given twice, none lost", coupons.check),
    Check("quiet_hours", "nothing sent in quiet hours", quiet_hours.check),
    Check("send_window", "nothing sent outside its hours", quiet_hours.check_send_window),
    Check("consent", "nothing sent to who had left its topic", consent.check),
    Check("in_time", "every call in its time", in_time.check),
    Check("handed_over", "handed over as decided", handed_over.check),
    Check("explained", "every send delivered or explained", explained.check),
    Check("journeys", "every journey's messages between its entry and its end", journeys.check),
    Check("nothing_lost", "nothing deleted unread", nothing_lost.check),
    Check("repeats", "no decision made twice, differently", repeats.check),
    Check("people", "what people did is as the log has it", people.check),
)
