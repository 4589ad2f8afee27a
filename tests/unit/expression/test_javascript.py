"""JavaScript conditions: what they see, what they cannot do, and that nothing they do hurts the next one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kairos.engine.event import Event
from kairos.engine.expression import (
    ExpressionError,
    JavaScript,
    Script,
    check_script,
    compile_condition,
    script_reads,
)
from kairos.engine.expression.scope import Facts
from kairos.sandbox.breaker import FREE_SECONDS, Breaker


class Clock:
    """Each look at it is a minute later: whatever a script has cost is forgiven."""

    seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 60
        return self.seconds


@pytest.fixture(scope="module")
def sandbox() -> Iterator[JavaScript]:
    """One for all: what a script left behind would show in the next test."""
    made = JavaScript(Clock())
    yield made
    made.close()


def scope(**props: Any) -> Facts:
    made = Facts()
    made.event = Event("e1", "order", 1_763_778_000_000, "shop", {"amount": 80, "list": [1], **props}, "u1")
    made.props = made.event.props
    made.steps = {
        "order": (Event("e0", "order", 1, "shop", {"amount": 30}, "u1"),),
        "views": [Event(f"v{n}", "view", n, "shop", {"n": n}) for n in range(3)],
        "new": (Event("e0", "order", 1, "shop", {}),),
        "optional": (),
    }
    made.profile = {"level": 3}
    made.metric = {"spend": 120.5}.get
    return made


def ask(source: str, sandbox: JavaScript, **props: Any) -> tuple[bool, int]:
    """The answer, and how many failures it counted."""
    before = sandbox.failures
    answer = compile_condition(Script(source), sandbox)(scope(**props))
    return answer, sandbox.failures - before


@pytest.mark.parametrize(
    "source",
    [
        "event.props.amount > order.props.amount",
        "event.id === 'e1' && event.type === 'order' && event.user_id === 'u1' && event.source === 'shop'",
        "new Date(event.time).toISOString() === '2025-11-22T02:20:00.000Z'",
        "new Date(event.time).getHours() === 2",
        "views.props.n === 2 && views.all.length === 3 && views.all[0].props.n === 0",
        "profile.level === 3 && metric.spend === 120.5 && metric['spend'] > 1 && metric.absent === null",
        "typeof optional === 'undefined'",
        "(() => { let total = 0; for (const view of views.all) total += view.props.n; return total === 3 })()",
        "[3, 1].sort().map(n => n + 1).join('-') === '2-4' // and so on",
        "x = 1, x === 1",
        "event.props.amount = 9999, event.props.amount === 80",
        "(() => { const own = {}; own.toString = () => 'z'; return `${own}` === 'z' })()",
        'JSON.stringify(event.props) === \'{"amount":80,"list":[1]}\'',
        "/^a(b)/.test('ab') && Object.keys(event.props).length === 2",
    ],
)
def test_true(source: str, sandbox: JavaScript) -> None:
    assert ask(source, sandbox) == (True, 0)


@pytest.mark.parametrize(
    "source",
    ["false", "1", "'true'", "null", "undefined", "({})", "[true]", "new Boolean(true)", "event",
     "new Proxy({}, {get() { while (true) {} }, has() { while (true) {} }})",
     "({valueOf() { while (true) {} }, toString() { while (true) {} }})"],
)  # fmt: skip
def test_only_true_is_true(source: str, sandbox: JavaScript) -> None:
    assert ask(source, sandbox) == (False, 0)


@pytest.mark.parametrize(
    "source",
    [
        "undefined_thing > 1",
        "optional.props.amount > 1",
        "(() => { throw {toString() { return 'x' }} })()",
        "event.props.list.push(2), true",
        "order.all.push(1), true",
        "Date.now() > 0",
        "new Date() > 0",
        "Date() !== ''",
        "new event.constructor.constructor('return true')()",
        "new (new Date(0).constructor)() > 0",
        "Math.random() < 2",
        "eval('true')",
        "Function('return true')()",
        "(() => {}).constructor('return true')()",
        "(function* () {}).constructor('yield true')().next().value",
        "new Intl.DateTimeFormat().format() !== ''",
        "Temporal.Now.instant() !== ''",
        "setTimeout(() => {}, 0), true",
        "new SharedArrayBuffer(8), true",
        "new Uint8Array(8), true",
        "kairos.run(0, '[]'), true",
        "Object.prototype.toString = 1, true",
    ],
)
def test_what_fails_is_false_and_counted(source: str, sandbox: JavaScript) -> None:
    assert ask(source, sandbox) == (False, 1)


@pytest.mark.parametrize(
    "source",
    [
        "(function () { while (true) {} })()",
        "(function () { let text = 'x'; while (true) text += text })()",
        "(function () { const all = []; while (true) all.push([all.length]) })()",
        "new Array(1e8).fill(1).length > 0",
        "Array.from({length: 1e9}).length > 0",
        "'x'.repeat(1e8).replace(/x/g, 'yyyy').length > 0",
        "[...'x'.repeat(1e8)].length > 0",
        "(function f() { f() })()",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "(() => { throw new Proxy({}, {get() { while (true) {} }}) })()",
    ],
)
def test_what_takes_too_much_is_false_and_counted_and_the_next_one_works(source: str, sandbox: JavaScript) -> None:
    assert ask(source, sandbox) == (False, 1)
    assert ask("event.props.amount > order.props.amount", sandbox) == (True, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("globalThis.n = 1, true", "typeof n === 'undefined'"),
        ("n = 1, true", "typeof n === 'undefined'"),
        ("(function () { this.n = 1 })(), true", "typeof n === 'undefined'"),
        ("Object.defineProperty(globalThis, 'n', {value: 1}), true", "typeof n === 'undefined'"),
        ("Object.defineProperty(globalThis, 'n', {get() { while (true) {} }}), true", "typeof n === 'undefined'"),
        ("Object.freeze(globalThis), true", "n = 1, n === 1"),
        ("Array.prototype.n = 1, true", "[].n === undefined"),
        ("Array.prototype.__proto__.n = 1, true", "[].n === undefined"),
        ("[].values().__proto__.n = 1, true", "[].values().n === undefined"),
        ("JSON.n = 1, true", "JSON.n === undefined"),
        ("undefined = 1, true", "undefined === void 0"),
        ("arguments.callee.n = 1, true", "arguments.callee.n === undefined"),
        ("arguments.callee.prototype.n = 1, true", "arguments.callee.prototype.n === undefined"),
        ("Object.setPrototypeOf(globalThis, {n: 1}), true", "typeof n === 'undefined'"),
        ("globalThis.__proto__ = {n: 1}, true", "typeof n === 'undefined'"),
        ("/(a)/.test('a')", "RegExp.$1 === undefined"),
        ("(globalThis.n = (globalThis.n || 0) + 1) === 1", "(globalThis.n = (globalThis.n || 0) + 1) === 1"),
    ],
)
def test_each_script_finds_a_fresh_global(first: str, second: str, sandbox: JavaScript) -> None:
    assert ask(first, sandbox) == (True, 0)
    assert ask(second, sandbox) == (True, 0)


def test_numbers_and_texts_go_over_as_they_are(sandbox: JavaScript) -> None:
    hostile = {"text": "\u2028</script>`${1}`\\\"'\x00", "__proto__": {"admin": True}, "big": 2**63 - 1, "wide": 1e308}
    source = "event.props.text === text.props.text && event.props.admin === undefined && event.props.wide === 1e308"
    made = scope(**hostile)
    made.steps = {"text": (Event("e0", "order", 1, "shop", hostile),)}
    assert compile_condition(Script(source), sandbox)(made) is True


def test_a_child_that_was_killed_is_replaced() -> None:
    made = JavaScript()
    assert ask("true", made) == (True, 0)
    child = made._child
    assert child is not None
    child.kill()
    child.wait()
    assert ask("true", made) == (True, 0)
    made.close()
    assert ask("true", made) == (True, 0)
    made.close()


def test_a_profile_that_is_no_text_fails_the_script_only(sandbox: JavaScript) -> None:
    made = scope()
    made.profile = {"name": "\ud800"}
    before = sandbox.failures
    assert compile_condition(Script("true"), sandbox)(made) is False
    assert sandbox.failures == before + 1


def test_on_a_deadline_the_event_is_null(sandbox: JavaScript) -> None:
    made = scope()
    made.event = None
    assert compile_condition(Script("event === null"), sandbox)(made) is True


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("event.props.amount >", "script-syntax"),
        ("return 1", "script-syntax"),
        ("1); while (true) {} (2", "script-syntax"),
        ("", "script-syntax"),
        ("1 /* open", "script-syntax"),
        ("async () => true", "script-async"),
        ("import('x')", "script-async"),
        ("1" + " + 1" * 5_000, "script-too-long"),
    ],
)
def test_check(source: str, code: str, sandbox: JavaScript) -> None:
    problem = check_script(source)
    assert problem is not None
    assert problem.code == code
    with pytest.raises(ExpressionError):
        compile_condition(Script(source), sandbox)


@pytest.mark.parametrize("source", ["event.props.async > 1", "(function () { while (true) {} })()", "a // comment"])
def test_check_runs_nothing(source: str) -> None:
    assert check_script(source) is None


def test_scripts_are_parsed_elsewhere_and_again_where_that_process_was_ended() -> None:
    """In a JVM V8 would end the process: threads that were there before it cannot use it on some processors."""
    code = (
        "import sys; from kairos.engine.expression import check_script; from kairos.sandbox import syntax\n"
        "assert check_script('a >') and 'py_mini_racer' not in sys.modules\n"
        "(child,) = syntax._children; child.kill(); child.wait()\n"
        "assert check_script('b >') and not check_script('b'); (other,) = syntax._children; assert other is not child"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_reads_are_a_superset() -> None:
    reads = script_reads("event.props.amount > order.props[key] && metric.spend > metric['visits'] && profile.level")
    assert {"order", "key"} <= reads.steps.keys()
    assert reads.steps["order"] == {"*"}
    assert reads.metrics == {"spend", "visits"}
    assert (reads.props, reads.profile) == ({"*"}, {"*"})


def test_a_text_condition_needs_no_sandbox() -> None:
    assert compile_condition("amount > 50", None)(scope()) is True
    with pytest.raises(ValueError, match="sandbox"):
        compile_condition(Script("true"), None)


LOOPS = "event.props.loop ? (() => { while (true) {} })() : true"
SPOILS = "event.props.loop ? Object.preventExtensions(globalThis) : true"


@pytest.mark.parametrize("source", [LOOPS, SPOILS])
def test_a_script_that_costs_too_much_is_not_asked_for_a_while_and_others_are(source: str) -> None:
    now, told = [0.0], list[str]()
    sandbox = JavaScript(lambda: now[0], told.append)
    hostile, other = compile_condition(Script(source), sandbox), compile_condition(Script("true"), sandbox)
    for _ in range(8):
        assert hostile(scope(loop=True)) is False
        assert other(scope()) is True
    assert told == [source]
    assert sandbox.refusals >= 1
    before = sandbox.refusals
    assert hostile(scope()) is False
    assert sandbox.refusals == before + 1
    now[0] = 60.0
    assert hostile(scope()) is True
    assert sandbox.refusals == before + 1
    sandbox.close()


def test_a_breaker_lets_through_what_costs_little_and_forgives_with_time() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    assert [breaker.charge("usual", FREE_SECONDS) for _ in range(100_000)] == [False] * 100_000
    spent = [breaker.charge("dear", 0.062) for _ in range(30)]
    assert [place for place, is_last in enumerate(spent) if is_last] == [16]
    assert (breaker.allows("dear"), breaker.allows("usual")) == (False, True)
    now[0] = 8.1
    assert breaker.allows("dear")
    now[0] = 100.0
    assert breaker.charge("dear", 0.9) is False
