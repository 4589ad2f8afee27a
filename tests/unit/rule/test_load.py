"""What a rule folder means: every field lowered, defaults applied, short forms spelt out."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.crowd.spec import Members, RuleCrowd, Sample, SetCrowd
from kairos.engine.expression.condition import Script
from kairos.engine.metric.spec import Metric
from kairos.engine.pattern.spec import AfterMatch, Pattern, Step, Times
from kairos.engine.policy.spec import Cap, CapRule, Policy, QuietHours, UserList
from kairos.engine.rule.load import Loaded, load
from kairos.engine.rule.model import (
    Active,
    Activity,
    Audience,
    EventSchema,
    Goal,
    Limits,
    Material,
    MiniProgram,
    RuleSet,
    Send,
    Source,
    Variant,
)
from kairos.engine.rule.release import Release, decode
from tests.unit.rule.rows import BASE

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def rules(**files: str) -> RuleSet:
    """The rules of these files (`a_yaml` is activities/t/a.yaml, others by their name), without errors."""
    loaded = load({_path(name): text.encode() for name, text in files.items()})
    assert loaded.rules is not None, [str(f) for f in loaded.findings]
    return loaded.rules


def _path(name: str) -> str:
    stem = name.removesuffix("_yaml")
    folder_files = ("metrics", "crowds", "policy", "sources", "profile", "materials")
    return f"{stem}.yaml" if stem in folder_files else f"activities/t/{stem}.yaml"


def pattern(trigger: str) -> Pattern:
    return rules(a_yaml=f"activity: a\ntrigger: {trigger}\n").activities["a"].pattern


def base() -> Loaded:
    return load(read_folder(BASE))


def test_every_field_of_an_activity() -> None:
    loaded = base()
    assert loaded.rules is not None
    zone = ZoneInfo("Asia/Shanghai")
    assert loaded.rules.activities["order_unpaid"] == Activity(
        name="order_unpaid",
        title="Order unpaid for 10 minutes",
        owner="growth",
        state="live",
        priority=50,
        active=Active(
            int(datetime(2026, 11, 1, tzinfo=zone).timestamp() * 1000),
            int(datetime(2036, 12, 31, tzinfo=zone).timestamp() * 1000),
            "Asia/Shanghai",
        ),
        on_change="keep",
        pattern=Pattern(
            (
                Step("event", ("order_created",), "order", where="amount >= 50"),
                Step("absent", ("order_paid",), "order_paid"),
            ),
            within=10 * MINUTE,
            per="order_id",
        ),
        audience=Audience(("buyers",), (), ("staff",), "profile.level >= 2 and metric.spend_30d > 100", 0.05),
        limits=Limits(DAY, ("marketing",), ("marketing",), 24 * HOUR, "hold", 10000),
        data={"order_id": "order.order_id", "coupon": '"PAY10"'},
        theme="orders",
        send=(
            Send("wechat", "order_unpaid"),
            Send("sms", "order_unpaid", 5 * MINUTE, "read", {"city": "profile.city"}),
        ),
        goal=Goal(("order_paid",), DAY, "amount > 0", "amount"),
    )


def test_the_files_beside_the_activities() -> None:
    found = base().rules
    assert found is not None
    assert found.metrics["spend_30d"] == Metric("spend_30d", "sum", ("purchase",), "amount", 'status == "ok"', 30 * DAY)
    assert found.metrics["bought_30d"] == Metric("bought_30d", "count", ("purchase",), window=30 * DAY, per="category")
    assert found.metrics["last_login"] == Metric("last_login", "last", ("login",), "event.time")
    assert found.crowds == {
        "staff": Members(("u1", "u2")),
        "vip": Members(None),
        "buyers": RuleCrowd("metric.purchases_7d >= 1"),
        "vip_or_buyers": SetCrowd("union", ("vip", RuleCrowd("profile.level >= 5"))),
        "tenth": Sample(0.1, "buyers"),
    }
    assert found.policy == Policy(
        timezone="Asia/Shanghai",
        quiet_hours=QuietHours(22 * 60, 8 * 60),
        default_caps=("marketing",),
        caps={
            "marketing": Cap("marketing", (CapRule(3, DAY), CapRule(1, HOUR, "rolling", "sms")), DAY),
            "service": Cap("service", (CapRule(9, 7 * DAY, "calendar"),)),
        },
        black=UserList(None),
        white=UserList(("u9",)),
        dedup=2 * DAY,
    )
    assert found.sources is not None
    assert found.sources["shop"].events["order_paid"] == EventSchema(
        {"order_id": "string", "amount": "number"}, ("order_id",)
    )
    assert found.profile == {"level": "integer", "city": "string", "phone": "string", "registered": "date"}
    assert sorted(found.templates) == ["footer", "order_unpaid.sms", "order_unpaid.wechat", "thanks.push"]
    assert found.templates["footer"] == "Yours, {{ town }}\n"


def test_materials() -> None:
    text = """spring_sale:
  title: Spring sale
  image: https://cdn.example.com/s.png
  link: shop://sale
  mini_program: {appid: wx1, path: pages/sale?id=1}
terms: {text: "One\\ntwo", link: "http://[::1]:8080/#terms"}
app: {mini_program: {appid: wx2}}
"""
    assert rules(materials_yaml=text).materials == {
        "spring_sale": Material(
            "Spring sale", None, "https://cdn.example.com/s.png", "shop://sale", MiniProgram("wx1", "pages/sale?id=1")
        ),
        "terms": Material(text="One\ntwo", link="http://[::1]:8080/#terms"),
        "app": Material(mini_program=MiniProgram("wx2")),
    }


def test_a_rule_set_survives_its_journey_through_json() -> None:
    found = msgspec.structs.replace(base().rules, materials={"sale": Material("Sale", mini_program=MiniProgram("wx1"))})
    assert msgspec.json.decode(msgspec.json.encode(found), type=RuleSet) == found


def test_a_release_of_a_time_without_materials_can_be_read() -> None:
    release = msgspec.json.decode(msgspec.json.encode(Release(1, base().rules)))
    del release["rules"]["materials"]
    assert decode(msgspec.msgpack.encode(release)).rules.materials == {}


def test_the_smallest_activity_has_the_defaults_of_the_model() -> None:
    found = rules(a_yaml="activity: a\ntrigger: {event: signup}\n")
    assert found == RuleSet({"a": Activity("a", Pattern((Step("event", ("signup",), "signup"),)), theme="t")})


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("{event: [a, b], as: x, where: n > 1}", Step("event", ("a", "b"), "x", where="n > 1")),
        ("{event: a, where: {js: 'true'}}", Step("event", ("a",), "a", where=Script("true"))),
        ("{count: a, times: 3}", Step("event", ("a",), "a", times=Times(3, 3))),
        ("{count: a, times: {min: 2}, within: 1d}", Step("event", ("a",), "a", times=Times(2, None))),
        ("{count: a, times: {min: 0, max: 2}}", Step("event", ("a",), "a", times=Times(1, 2), optional=True)),
        (
            "{pattern: [{event: a, times: {min: 1}, until: n > 1, greedy: true, inside: consecutive}]}",
            Step("event", ("a",), "a", times=Times(1, None), until="n > 1", greedy=True, inside="consecutive"),
        ),
        ("{pattern: [{event: a, where: true}]}", Step("event", ("a",), "a", where="true")),
    ],
)
def test_every_form_of_trigger_becomes_a_step(trigger: str, expected: Step) -> None:
    assert pattern(trigger).steps == (expected,)


@pytest.mark.parametrize(
    ("after_match", "expected"),
    [
        ("exclusive", AfterMatch()),
        ("skip_past_last", AfterMatch("skip_past_last")),
        ("{skip_to_first: b}", AfterMatch("skip_to_first", "b")),
        ("{skip_to_last: a}", AfterMatch("skip_to_last", "a")),
    ],
)
def test_after_match(after_match: str, expected: AfterMatch) -> None:
    found = pattern(f"{{pattern: [{{event: a}}, {{event: b}}], within: 9m59s, after_match: {after_match}}}")
    assert found.after_match == expected
    assert found.within == 599_000


def test_a_step_that_takes_no_event_gives_way_with_its_name() -> None:
    found = pattern(
        "{pattern: [{event: a}, {absent: b}, {event: b}, {not_next: [a, b]}, {event: c}, {absent: a}], within: 1d}"
    )
    assert [step.name for step in found.steps] == ["a", "b_2", "b", "a_2", "c", "a_3"]


def test_caps_come_from_the_policy_unless_they_are_named() -> None:
    policy = "caps: {x: {rules: [{max: 1, per: 1d}]}, y: {rules: [{max: 1, per: 1d}]}}\ndefault_caps: [x]\n"

    def limits(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        activity = f"activity: a\ntrigger: {{event: b}}\nsend: [{{channel: console}}]\n{text}"
        found = rules(policy=policy, a_yaml=activity).activities["a"].limits
        return found.caps, found.counts_toward

    assert limits("") == (("x",), ("x",))
    assert limits("limits: {once: ever}\n") == (("x",), ("x",))
    assert limits("limits: {caps: [y]}\n") == (("y",), ("y",))
    assert limits("limits: {caps: []}\n") == ((), ())
    assert limits("limits: {caps: [], counts_toward: [x]}\n") == ((), ("x",))
    assert limits("limits: {counts_toward: []}\n") == (("x",), ())


def test_dates_are_local_to_the_activity_or_else_to_the_policy() -> None:
    def start(active: str) -> int | None:
        text = f"activity: a\ntrigger: {{event: b}}\nactive: {active}\n"
        return rules(policy="timezone: Asia/Shanghai\n", a_yaml=text).activities["a"].active.start

    assert start("{from: 2026-11-01}") == start("{from: 2026-11-01T00:00}") == start("{from: 2026-10-31T16:00Z}")
    assert start("{from: 2026-11-01T00:00, timezone: UTC}") == start("{from: 2026-11-01T08:00}")
    assert start("{from: 2026-11-01T00:00+08:00, timezone: UTC}") == start("{from: 2026-11-01T00:00}")


def test_variants_and_sources() -> None:
    found = base().rules
    assert found is not None
    assert found.activities["third_purchase"].variants == (
        Variant("a", 50, (Send("push", "thanks"),)),
        Variant("b", 1.5, (Send("console"),)),
    )
    text = 'crm: {enabled: false, identity: {phone: redis}, map: {id: order.no, props: "*"}, events: {login: {}}}\n'
    assert rules(sources=text, a_yaml="activity: a\ntrigger: {event: login}\n").sources == {
        "crm": Source("crm", {"login": EventSchema({})}, False, {"phone": "redis"}, {"id": "order.no", "props": "*"})
    }


def test_examples_are_lowered_to_events_and_expectations() -> None:
    tests = base().tests["order_unpaid"]
    start = int(datetime(2026, 11, 2, 12, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)
    assert tests.start == start
    first, second = tests.tests
    assert [(e.id, e.type, e.user_id, e.time - start, e.source, e.props) for e in first.events] == [
        ("e1", "order_created", "u1", 0, "shop", {"order_id": "o1", "amount": 80}),
        ("e2", "order_paid", "u1", 599_000, "shop", {"order_id": "o1"}),
    ]
    assert first.expect == ()
    assert first.profiles == {"u1": {"level": 3, "wechat_openid": "w1", "crowds": ["buyers"]}}
    assert second.profiles["u1"] == {"level": 4, "wechat_openid": "w1", "crowds": ["buyers"]}
    assert second.metrics == {"u1": {"spend_30d": 200}}
    assert second.events[0].id == "first"
    (expected,) = second.expect
    assert (expected.at - start, expected.outcome) == (10 * MINUTE, "send")
    assert expected.fields == {"channel": "wechat", "data": {"order_id": "o1"}}


@pytest.mark.parametrize(
    ("active", "noon"),
    [
        ("{}", "2026-01-14T12:00"),
        ("{from: 2026-11-01T00:00}", "2026-11-01T12:00"),
        ("{from: 2026-11-01T13:00}", "2026-11-02T12:00"),
        ("{from: 2026-11-01T13:00, until: 2026-11-01T18:00}", "2026-11-01T13:00"),
        ("{until: 2026-11-01T00:00}", "2026-10-31T12:00"),
        ("{until: 2026-11-01T18:00}", "2026-10-31T12:00"),
    ],
)
def test_examples_start_at_noon_of_a_day_inside_active(active: str, noon: str) -> None:
    examples = "tests: [{name: x, events: [{at: 0s, login: {user_id: u1}}], expect: []}]\n"
    activity = f"activity: a\ntrigger: {{event: login}}\nactive: {active}\n"
    loaded = load({"activities/t/a.yaml": activity.encode(), "activities/t/a.test.yaml": examples.encode()})
    assert loaded.tests["a"].start == int(datetime.fromisoformat(noon + "+00:00").timestamp() * 1000)


def test_dates_past_need_a_today() -> None:
    text = b"activity: a\ntrigger: {event: b}\nactive: {until: 2020-01-01}\n"
    assert load({"activities/t/a.yaml": text}).findings == []
    assert [f.code for f in load({"activities/t/a.yaml": text}, today=1_782_000_000_000).findings] == ["dates-past"]


def test_findings_are_sorted_and_carry_no_rules_when_there_is_an_error() -> None:
    loaded = load({"activities/t/b.yaml": b"x: 1\n", "activities/t/a.yaml": b"trigger: {event: a, x: 1}\ny: 1\n"})
    assert loaded.rules is None
    assert loaded.tests == {}
    assert loaded.findings == sorted(loaded.findings)
    assert {f.file for f in loaded.findings} == {"activities/t/a.yaml", "activities/t/b.yaml"}
