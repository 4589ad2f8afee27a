"""Values as people spell them elsewhere -> as they are written here, for the hints of messages."""

from __future__ import annotations

import re

from kairos.engine.rule.text import scalars
from kairos.engine.rule.text.report import nearest

_UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds", "秒"), "m": ("m", "min", "mins", "minute", "minutes", "分钟"),
    "h": ("h", "hr", "hrs", "hour", "hours", "小时"), "d": ("d", "day", "days", "天", "日"),
    "w": ("w", "wk", "week", "weeks", "周"), "M": ("mo", "mon", "month", "months"), "y": ("y", "yr", "year", "years"),
}  # fmt: skip
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "M": 30 * 86_400, "y": 365 * 86_400}
_TIMES = {"k": 1_000, "m": 1_000_000, "万": 10_000}
_WORDS = {
    word: said
    for words, said in (("day daily", "1d"), ("hour hourly", "1h"), ("week weekly", "7d"), ("month monthly", "30d"))
    for word in words.split()
}
_AMOUNT = re.compile(r"(?:P?T?)(\d{1,6}(?:\.\d{1,3})?)[ _-]*([^\W\d_]+)")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.hH]([0-5]\d)?)?(?::[0-5]\d)?\s*([ap]\.?m\.?)?", re.IGNORECASE)
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*([+-])0?(\d{1,2})(?::?(00|30|45))?", re.IGNORECASE)

_CITIES = {
    "Asia/Shanghai": "北京 上海 中国 beijing peking shenzhen guangzhou hangzhou chengdu wuhan nanjing tianjin xian "
    "suzhou china prc",
    "Asia/Kolkata": "delhi newdelhi mumbai bombay bangalore bengaluru chennai hyderabad india",
    "Asia/Tokyo": "osaka kyoto japan", "Asia/Seoul": "busan korea", "Asia/Ho_Chi_Minh": "hanoi vietnam",
    "Asia/Dubai": "abudhabi uae", "Asia/Karachi": "islamabad lahore pakistan", "Asia/Riyadh": "jeddah mecca",
    "Europe/Berlin": "munich hamburg frankfurt cologne germany mez mesz", "Europe/Zurich": "geneva bern basel",
    "Europe/Paris": "lyon marseille france", "Europe/Madrid": "barcelona spain", "Europe/Rome": "milan naples italy",
    "Europe/London": "edinburgh manchester birmingham england uk bst", "Europe/Istanbul": "ankara turkey",
    "Europe/Moscow": "stpetersburg petersburg russia", "Europe/Amsterdam": "rotterdam thehague netherlands",
    "America/New_York": "washington boston miami atlanta philadelphia eastern edt",
    "America/Chicago": "dallas houston austin cdt", "America/Denver": "mountain mdt",
    "America/Los_Angeles": "sanfrancisco seattle sandiego lasvegas pacific pst pdt",
    "America/Toronto": "ottawa montreal", "America/Sao_Paulo": "rio riodejaneiro brasilia brazil",
    "Australia/Sydney": "canberra aest aedt", "Pacific/Auckland": "wellington",
}  # fmt: skip
_ZONE_OF = {city: zone for zone, cities in _CITIES.items() for city in cities.split()}
_AMBIGUOUS = {
    "cst": "CST is China's, America's and Cuba's: write Asia/Shanghai or America/Chicago",
    "ist": "IST is India's, Ireland's and Israel's: write Asia/Kolkata, Europe/Dublin or Asia/Jerusalem",
    "cest": "write a zone that changes its clock itself, such as Europe/Berlin",
    "local": "the user's own zone is the field timezone of the profile",
}
_OF_OFFSET = {
    "+0": "UTC", "+1": "Europe/Paris", "+8": "Asia/Shanghai", "+9": "Asia/Tokyo", "-5": "America/New_York",
    "-8": "America/Los_Angeles", "+5:30": "Asia/Kolkata", "+5:45": "Asia/Kathmandu", "+3:30": "Asia/Tehran",
    "+9:30": "Australia/Darwin",
}  # fmt: skip


def zone_hint(text: str) -> str | None:
    """A city or country that names no zone, an abbreviation, an offset; else the zone that is spelt alike."""
    if found := _OFFSET.fullmatch(text.strip()):
        return _offset_hint(found)
    plain = re.sub(r"[^a-z\u4e00-\u9fff]", "", text.rsplit("/", 1)[-1].lower())
    if plain in _AMBIGUOUS:
        return _AMBIGUOUS[plain]
    same = sorted(zone for zone in scalars.zones() if re.sub(r"[^a-z]", "", zone.rsplit("/", 1)[-1].lower()) == plain)
    meant = _ZONE_OF.get(plain) or next((zone for zone in same if "/" in zone), None)
    return f"did you mean '{meant}'?" if meant else nearest(text, scalars.zones())


def _offset_hint(found: re.Match[str]) -> str:
    """`Etc/GMT-8` is the zone of +8: its sign is the other way round, so a place is proposed where one is known."""
    part = f":{found[3]}" if found[3] not in (None, "00") else ""
    zone = _OF_OFFSET.get(found[1] + found[2] + part, "Asia/Shanghai")
    return f"a zone is a place, not an offset: for example {zone}"


def number_hint(text: str, in_quotes: bool) -> str | None:
    """`10,000`, `1_000`, `1k` -> the digits alone."""
    if in_quotes and re.fullmatch(r"[0-9]+", text):
        return "without quotes"
    if re.fullmatch(r"[0-9]{1,3}(?:[ ,._'\u00a0][0-9]{3})+", text):
        return f"did you mean {re.sub(r'[^0-9]', '', text)}?"
    found = re.fullmatch(r"([0-9]{1,6})\s*([kKmM万])", text)
    return f"did you mean {int(found[1]) * _TIMES[found[2].lower()]}?" if found else None


def duration_hint(text: str) -> str | None:
    """`10 minutes` -> `10m`."""
    if text.strip().lower() in _WORDS:
        return f"did you mean {_WORDS[text.strip().lower()]}?"
    closed = re.sub(r"\s+|\band\b", "", text.strip().lower()).lstrip("+")
    closed = re.sub(r"^(\d+)h(\d{1,2})$", r"\1h\2m", closed)
    if closed != text and scalars.parse_duration(closed):
        return f"did you mean {closed}?"
    text = re.sub(r"^(\d+),(\d)", r"\1.\2", text.strip())
    if re.fullmatch(r"[0-9]{1,9}", text):
        return f"with its unit: {text}s, {text}m, {text}h or {text}d"
    if found := _AMOUNT.fullmatch(text.strip()):
        unit = _UNIT_OF.get(found[2]) or _UNIT_OF.get(found[2].lower())
        seconds = round(float(found[1]) * _SECONDS[unit]) if unit else 0
        return f"did you mean {scalars.spell_duration(seconds * 1000)}?" if seconds else None
    if found := re.fullmatch(r"(\d{1,3}):(\d{2})(?::(\d{2}))?", text):
        parts = [f"{int(part)}{unit}" for part, unit in zip(found.groups(), "hms", strict=True) if part and int(part)]
        return f"did you mean {''.join(parts)}?" if parts else None
    return None


def clock_hint(text: str) -> str | None:
    """`8:00`, `10pm`, `22` -> `"22:00"`."""
    if not (found := _CLOCK.fullmatch(text.strip())):
        return None
    hour, half = int(found[1]), (found[3] or "").lower().replace(".", "")
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour % 24 if hour == 24 else hour
    return f'did you mean "{hour:02}:{found[2] or "00"}"?' if hour < 24 else None


def moment_hint(text: str) -> str | None:
    """`2026/11/1`, `1.11.2026` -> `2026-11-01`. What may be day or month is not guessed."""
    if found := re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]+(\d{1,2}):(\d{2}))?", text.strip()):
        year, month, day = (int(part) for part in found.groups()[:3])
    elif found := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ]+(\d{1,2}):(\d{2}))?", text.strip()):
        day, month, year = (int(part) for part in found.groups()[:3])
        if "." not in text and day <= 12 and month <= 12 and day != month:
            return f"year, month, day: {year}-{month:02}-{day:02} or {year}-{day:02}-{month:02}"
        day, month = (month, day) if month > 12 else (day, month)
    else:
        return None
    time = f"T{int(found[4]):02}:{found[5]}" if found[4] else ""
    said = f"{year}-{month:02}-{day:02}{time}"
    return f"did you mean {said}?" if said != text.strip() and scalars.parse_moment(said) else None


def percent_hint(text: str, value: object) -> str | None:
    """A share, `0.1`, is a tenth; `10` is 10%."""
    if part := re.fullmatch(r"(\d{1,3}) ?/ ?(\d{1,3})", text.strip()):
        share = int(part[1]) / max(int(part[2]), 1) * 100
        return f"did you mean {share:g}%?" if 0 < share <= 100 else None
    number = re.fullmatch(r"(\d{1,3}(?:[.,]\d{1,6})?) *(%|percent|pct|per cent)?", text.strip())
    if number is None:
        return None
    share = float(number[1].replace(",", "."))
    if 0 < share < 1 and not number[2] and (isinstance(value, float) or "," in text):
        return f"a share of {number[1]} is written {share * 100:g}%"
    return f"did you mean {number[1]}%?" if share <= 100 else None
