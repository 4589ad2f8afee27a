"""Templates: Liquid that cannot work, and variables that nobody provides."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.rule.fields.common import CHANNEL
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.model import Send
from kairos.engine.rule.templates import ROOTS, TemplateFacts, Templates
from kairos.engine.rule.text.report import Report, listed, nearest, shown

# What these say is the record's data itself; the others have nothing to say without a template.
SPEAKS_ALONE = ("webhook", "console", "file")


def check_templates(drafts: Mapping[str, Draft], world: World, reports: Mapping[str, Report]) -> None:
    templates = Templates(world.templates)
    facts = {key: templates.facts(key) for key in world.templates}
    given: dict[str, set[str]] = {}
    for draft in drafts.values():
        for send, place in draft.sends():
            key = f"{send.template}.{send.channel}"
            if send.template is None:
                _check_missing(draft, send, place.node)
            elif key not in facts:
                _check_unknown(draft, send, place["template"].node, facts)
            else:
                given.setdefault(key, set()).update((*draft.activity.data, *send.data))
                _check_given(draft, send, place["template"].node, facts[key])
    for key, found in facts.items():
        _check_facts(key, found, given.get(key), world, reports)
    rendered = {name for found in facts.values() for name in found.renders}
    for key in facts:
        _check_name(key, reports[_path(key)])
        if key not in given and key not in rendered and drafts:
            reports[_path(key)].at(1, 1, "warning", "unused-template", f"no activity sends {shown(key)}")


def _path(key: str) -> str:
    return f"templates/{key}.liquid"


def _check_missing(draft: Draft, send: Send, node: object) -> None:
    if send.channel not in SPEAKS_ALONE:
        message = f"send: 'template' is missing: {send.channel} has nothing to say without one"
        draft.report.error(node, "missing-key", message, f"template: <name>, of templates/<name>.{send.channel}.liquid")  # type: ignore[arg-type]


def _check_unknown(draft: Draft, send: Send, node: object, facts: Mapping[str, TemplateFacts]) -> None:
    names = [key.removesuffix(f".{send.channel}") for key in facts if key.endswith(f".{send.channel}")]
    others = [key.rsplit(".", 1)[1] for key in facts if key.rsplit(".", 1)[0] == send.template and "." in key]
    hint = f"it exists for {listed(others, 'and')}" if others else nearest(send.template or "", names)
    message = f"template: there is no templates/{send.template}.{send.channel}.liquid (channel {send.channel})"
    draft.report.error(node, "unknown-template", message, hint)  # type: ignore[arg-type]


def _check_given(draft: Draft, send: Send, node: object, facts: TemplateFacts) -> None:
    """Each send that uses a template gives it what it needs; what no send gives is the template's own mistake."""
    data = {*draft.activity.data, *send.data}
    missing = [
        v.name for v in facts.variables if v.required and v.name not in data and v.name.split(".")[0] not in ROOTS
    ]
    if missing and data:
        names = listed(dict.fromkeys(missing), "and")
        message = f"template: {send.template}.{send.channel} prints {names}, which `data` here does not have"
        draft.report.error(node, "template-data", message, f"add to data: {names}")  # type: ignore[arg-type]


def _check_facts(
    key: str, facts: TemplateFacts, given: set[str] | None, world: World, reports: Mapping[str, Report]
) -> None:
    for problem in facts.problems:
        _at(reports, problem.template, problem.offset, problem.code, problem.message, problem.hint, world)
    for variable in facts.variables:
        root, _, name = variable.name.partition(".")
        if root == "profile" and world.profile is not None and name not in world.profile:
            message = f"'{name}' is not a declared field of the profile"
            _at(
                reports,
                variable.template,
                variable.offset,
                "unknown-profile-field",
                message,
                nearest(name, world.profile),
                world,
            )
        elif root not in ROOTS and given is not None and variable.name not in given:
            message = f"unknown variable '{variable.name}': no `data` of a send with {shown(key)} has it"
            hint = nearest(variable.name, given) or f"add it to `data`, or read {listed(f'{root}.x' for root in ROOTS)}"
            _at(reports, variable.template, variable.offset, "template-variable", message, hint, world)


def _at(
    reports: Mapping[str, Report], key: str, offset: int, code: str, message: str, hint: str | None, world: World
) -> None:
    text = world.templates[key][:offset]
    line, column = text.count("\n") + 1, offset - (text.rfind("\n") + 1) + 1
    reports[_path(key)].at(line, column, "error", code, message, hint)


def _check_name(key: str, report: Report) -> None:
    """<name>.<channel>, or <name> of a partial."""
    _, dot, channel = key.rpartition(".")
    if dot and channel not in CHANNEL.values:
        message = f"{shown(channel)} is not a channel: the file's name is <name>.<channel>.liquid"
        hint = nearest(channel, CHANNEL.values) or f"channels: {listed(CHANNEL.values, 'and')}"
        report.at(1, 1, "error", "bad-channel", message, hint)
