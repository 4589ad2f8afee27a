"""Words of other tools: what they are called here, and what to use for what is not here. Data, for messages.

To make a message better, or once a concept exists, change its row.
"""

from __future__ import annotations

from collections.abc import Iterable

from kairos.engine.channel import CHANNELS

CONCEPTS: dict[str, str] = {
    words: hint
    for rows, hint in (
        (
            "wait delay sleep timeout timer wait_for",
            "what waits is `within` of the trigger with `absent` as its last step; between messages a journey waits: "
            "journeys/<theme>/<journey>.yaml",
        ),
        (
            "schedule cron every recurring repeat daily weekly monthly run_at start_at",
            'an activity begins with an event, or with the calendar: `trigger: {schedule: {daily: "09:00"}}`, or at, '
            "weekly, monthly, yearly, date",
        ),
        (
            "at time send_at hour time_of_day date day days weekday",
            "what has its hour is `trigger: {schedule: ...}`; quiet_hours of policy.yaml and send_window of limits "
            "hold messages until they may go",
        ),
        ("winner", "`variants: {choose: best}` gives the better one more users, as `kairos learn` finds out"),
        ("ab_test abtest split experiment", "an A/B test is `variants: [{name: a, weight: 50, send: [...]}, ...]`"),
        (
            "condition conditions filter filters if when where rule rules",
            "a condition on the moment is `where` in a step of `trigger`, one on the person `where` in `audience`",
        ),
        (
            "then else otherwise action actions do next_step branch journey",
            "what branches, or goes on after a message, is a journey: journeys/<theme>/<journey>.yaml",
        ),
        (
            "message text body content subject html headline",
            "texts stand in templates/<template>.<channel>.liquid, the subject or title in its head",
        ),
        ("to recipient address phone email", "the address is the profile's, by channel"),
        ("sender sent_by", "who sends is configured with the channel, not in a rule"),
        (
            "segment segments users crowd crowds target",
            "people are chosen in `audience: {in: [crowd]}`; crowds are defined in crowds.yaml",
        ),
        (
            "frequency frequency_cap capping throttle rate_limit cooldown max cap max_per_day "
            "max_per_week max_sends per_day per_week daily_limit",
            "caps stand in policy.yaml, named by `limits: {caps: [...]}`; `limits: {once: 7d}` is the activity's own",
        ),
        (
            "consent opt_in opt_out subscription newsletter unsubscribe",
            "what people agree to, or leave, is a `topic` of topics.yaml, named here: `topic: news`",
        ),
        (
            "window business_hours office_hours working_hours hours weekdays",
            'the hours to send in are `limits: {send_window: {from: "10:00", to: "20:00", days: [mon, tue]}}`',
        ),
        ("holdout control", "that is `control_group: 10%` in `audience`"),
        ("exclude except", "who is left out is `not_in: [crowd]` in `audience`"),
        ("start end start_date end_date valid_from valid_until", "that is `active: {from: ..., until: ...}`"),
        ("and or all any not", "conditions are joined in one expression: `where: a > 1 and (b or c)`"),
        ("enabled status live", "an activity runs where its `state` is live"),
        ("include import extends", "files do not include each other"),
        ("version id", "`kairos publish` numbers releases; an activity is known by its name"),
        ("tags labels category folder campaign", "the folder of its file groups activities"),
        ("comment note notes description", "write a comment, `# ...`, or a `title`"),
        ("retry retries fallback", "the next entry of `send` is the fallback; retries are the channel's affair"),
    )
    for words in rows.split()
}
"""An unknown key of an activity -> what to use."""

_CALLED: dict[str, str] = {
    # keys
    "activity": "name", "pattern": "steps events sequence", "event": "type", "channel": "type via",
    "after": "delay wait timeout", "within": "window timeout during duration", "window": "period over during",
    "where": "filter condition when if having", "as": "alias label", "times": "repeat min_times",
    "absent": "not missing no_event without", "not_in": "not exclude excluded", "in": "include all segment",
    "any_of": "any", "control_group": "holdout control", "timezone": "tz time_zone zone",
    "from": "start begin start_date", "until": "end till end_date", "to": "end till", "state": "status",
    "audience": "people target segment", "send": "message messages action actions sent", "goal": "conversion objective",
    "data": "params values variables", "send_before": "expires ttl", "weight": "share percent percentage",
    "sample": "share percent percentage", "members": "users list", "avg": "average mean",
    "distinct": "unique count_distinct", "last": "latest", "max": "limit", "black": "blacklist", "white": "whitelist",
    "per": "group_by by key period", "expect": "expected outcomes", "user_id": "user",
    # words of a choice
    **{name: channel.called for name, channel in CHANNELS.items()},
    "live": "active enabled on running published true", "paused": "disabled off stopped false",
    "ended": "archived finished done", "draft": "new", "drop": "skip", "hold": "held wait", "ignore": "off none",
    "read": "opened open", "delivered": "received", "clicked": "click", "occurrence": "always", "ever": "never once",
    "keep": "continue", "restart": "reset",
    "drain": "finish", "suppress": "suppressed blocked", "string": "str text",
    "integer": "int", "number": "float double decimal", "boolean": "bool", "time": "datetime timestamp",
    "intersect": "in and all", "union": "or any any_of", "difference": "not not_in except exclude minus",
    "calendar": "daily weekly day", "list": "array", "object": "map json",
    "strict": "immediate consecutive", "relaxed": "loose",
}  # fmt: skip
"""What a key or a word of a choice is called elsewhere."""


def synonym(word: str, known: Iterable[str]) -> str | None:
    """`did you mean 'after'?` for `delay`, where `after` is known."""
    found = next((name for name in known if word.lower() in _CALLED.get(name, "").split()), None)
    return f"did you mean '{found}'?" if found else None
