"""Days between two times by a zone's clock, against the two clocks read one by one."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from kairos.engine.expression.times import days_since, wall_clock

DAY = 86_400_000
ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Monrovia", "Asia/Manila")
APIA_LOST_A_DAY = 1_325_239_200_000  # 2011-12-30, which was none there
MONROVIA = 63_593_070_000  # 1972-01-07T00:44:30Z: its clock went on within a quarter of an hour
LAST = 253_402_300_799_999

TIMES = st.one_of(
    st.integers(-70 * 365 * DAY, 80 * 365 * DAY),
    st.integers(APIA_LOST_A_DAY - 2 * DAY, APIA_LOST_A_DAY + 2 * DAY),
    st.integers(MONROVIA - 2_000_000, MONROVIA + 2_000_000),
    st.integers(LAST - DAY, LAST + DAY),
    st.integers(-(2**70), 2**70),
)


@given(t=TIMES, now=TIMES, zone=st.sampled_from(ZONES))
@example(t=MONROVIA - 1, now=MONROVIA + DAY - 1, zone="Africa/Monrovia")
@example(t=APIA_LOST_A_DAY - DAY, now=APIA_LOST_A_DAY + DAY, zone="Pacific/Apia")
def test_as_two_clocks_say(t: int, now: int, zone: str) -> None:
    then, here = wall_clock(t, ZoneInfo(zone)), wall_clock(now, ZoneInfo(zone))
    expected = None if then is None or here is None else (here - then) // timedelta(days=1)
    assert days_since(t, now, ZoneInfo(zone)) == expected
