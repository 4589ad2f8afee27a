"""What people write who know another language: SQL, JavaScript, a spreadsheet. Data for the hints of messages."""

from __future__ import annotations

import re

_LIKE = 'write contains(x, ".."), starts_with(x, "..") or matches(x, "regex")'
_NOW = "there is no now and no duration here: days_since(t) counts days from t to the event, below 0 where t is to come"
_BARE = "a prop of this event is read by its bare name"
_SYNTAX: tuple[tuple[str, str], ...] = (
    (r"\bis\s+not\s+null\b", "write exists(x)"),
    (r"\bis\s+(null|none|empty|missing)\b", "write not exists(x)"),
    (r"(?i)\bnot\s+i?like\b|\bi?like\b", _LIKE),
    (r"(?i)\bbetween\b", "write a range as 10 <= x <= 20"),
    (r"(?i)\b(starts|begins)[ _]?with\b(?!\s*\()", "write starts_with(x, \"..\")"),
    (r"(?i)\bends[ _]?with\b(?!\s*\()", "write ends_with(x, \"..\")"),
    (r"(?i)\b(contains|includes|has)\b(?!\s*\()", "write contains(x, \"..\")"),
    (r"(?i)\bmatches\b(?!\s*\()|=~", "write matches(x, \"regex\")"),
    (r"(?i)[-<>=+]\s*now\b|\bnow\s*[-+(]|\btoday\b|\bcurrent_(date|time|timestamp)\b|\binterval\b",
     _NOW),
    (r"\b\d+\s*(s|m|h|d|w|min|hours?|days?|weeks?|months?)\b",
     "there are no durations here: days_since(t) counts days, and `within` of the trigger bounds the time"),
    (r"\bin\s+\d+\s*(\.\.|-|to\b)\s*\d+", "write a range as 10 <= x <= 20"),
    (r"(?i)\b(at least|not less than|no less than)\b", "write '>='"),
    (r"(?i)\b(at most|not more than|no more than)\b", "write '<='"),
    (r"(?i)^\s*if\s*\(|\bif\s*\([^()]*,", "write `a if condition else b`"),
    (r"/[^/]+/\.test|(?<![<>=!])~", "write matches(x, \"regex\")"),
    (r"(?i)\bxor\b", "write `(a and not b) or (b and not a)`"),
    (r"@\w", "write the name without '@'"),
    (r"\+\+|\+=|-=", "an expression changes nothing: it is true or false"),
    (r"/\*|--", "there are no comments inside an expression"),
    (r"\{\{|\}\}", "braces are for templates: write the name alone"),
    (r"\$\{?\w", "write the name without '$'"),
    (r"\b\d+(\.\d+)?\s*%(?!\s*[\w(])", "there are no percentages here: 10% is 0.1"),
    (r"\d,\d{3}\b", "numbers are written without separators: 1000"),
    (r"[€$£¥]\s*\d|\d\s*[€$£¥]", "write the number without its currency"),
    (r"===", "equality is written '=='"),
    (r"!==", "write '!='"),
    (r"=>", "write '>='"),
    (r"=<", "write '<='"),
    (r"&&", "write 'and' for '&&'"),
    (r"\|\|", "write 'or' for '||'"),
    (r"!(?!=)", "write 'not' for '!'"),
    (r"<>", "write '!=' for '<>'"),
    (r"\?[^:?]*:", "write `a if condition else b`"),
    (r"(?i)\b(case|when|then)\b", "write `a if condition else b`"),
    (r"(?i)\b(greater|less|more|bigger|smaller)\s+than\b", "write '>' or '<'"),
    (r"(?i)\bequals?\b|\bis\b", "equality is written '=='"),
    (r"\b(AND|OR|NOT|IN|And|Or|Not|In)\b", "'and', 'or', 'not' and 'in' are written small"),
    (r"(?<![=<>!])=(?!=)", "equality is written '=='"),
    (r";", "one expression is expected, not a statement"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern), hint) for pattern, hint in _SYNTAX)

_FUNCTIONS: dict[str, str] = {
    "now today current_date age date_diff datediff": "days_since(t) counts the days from t to the event",
    "length size strlen": "write len(x)",
    "includes has instr strpos find": 'write contains(x, "..")',
    "startswith begins_with": 'write starts_with(x, "..")',
    "endswith": 'write ends_with(x, "..")',
    "regex regexp match rlike like": 'write matches(x, "regex")',
    "ifnull nvl isnull default": "write coalesce(x, other)",
    "is_null defined is_set empty": "write exists(x)",
    "tolower tolowercase lcase downcase": "write lower(x)",
    "toupper touppercase ucase upcase": "write upper(x)",
    "int float number str string cast": "values are not converted: compare them as they are",
    "in_segment segment member_of is_member": 'write in_crowd("name")',
    "dayofweek day_of_week dow": "write weekday(t), 0 is Monday",
    "count": "how often is `times` of a step, or a metric: metric.purchases_30d",
    "mod": "write a % b",
    "concat concatenate": "texts are joined in the template",
    "random rand": "a share of the users is `control_group: 10%`, or a crowd `{sample: 10%, of: ...}`",
    "any all some every": "write a condition for each, joined by `or` or `and`",
    "days hours minutes interval date_add dateadd add_days": "days_since(t) counts the days from t to the event",
    "year month day_of_month to_date parse_date": 'date(t) is the day as text, "2026-11-02"',
    "iif if": "write `a if condition else b`",
}
_ROOTS: dict[str, str] = {
    "user users customer person contact profiles": "what is known of the user is profile.x",
    "metrics stats counters": "a metric is read as metric.x",
    "props properties data payload attributes events this self": _BARE,
    "crowd crowds segment segments": 'write in_crowd("name")',
}


_NOTHING = "nothing equals a missing value: ask exists(x), or not exists(x)"
_NAMES: dict[str, str] = {
    "null nil undefined none nan na missing empty blank": _NOTHING,
    "now today yesterday tomorrow current_date current_time": _NOW,
    "count": "how often is `times` of a step, or a metric: metric.purchases_30d",
    "user_id userid uid": 'an expression is about one user; some by name are a crowd: in_crowd("name")',
    "crowd crowds segment segments": 'write in_crowd("name")',
    "type time timestamp source": "of the event itself: event.type, event.time, event.id, event.source",
    "true yes": "write true",
    "false no": "write false",
}


def _by_word(rows: dict[str, str]) -> dict[str, str]:
    return {word: hint for words, hint in rows.items() for word in words.split()}


FUNCTIONS = _by_word(_FUNCTIONS)
"""A function of other languages -> what does it here."""
ROOTS = _by_word(_ROOTS)
"""What stands before a dot elsewhere -> how it is read here."""


NAMES = _by_word(_NAMES)
"""A bare name that is no prop -> what is meant, also where it is compared."""


def syntax_hint(text: str) -> str | None:
    """What is meant by something that cannot be read. `text`: without what stands in quotes."""
    return next((hint for pattern, hint in _PATTERNS if pattern.search(text)), None)


def function_hint(name: str) -> str | None:
    """What does it here, by a name of another language."""
    plain = name.lower()
    return FUNCTIONS.get(plain)


def event_hint(name: str) -> str:
    """What is meant by `event.name`."""
    if name in ("hour", "weekday", "date"):
        return f"write {name}(event.time)"
    if name in ("props", "properties", "data", "payload"):
        return _BARE
    return NAMES["user_id"] if name == "user_id" else f"a prop is read by its bare name: {name}"
