"""Templates: Liquid that cannot work, and variables that nobody provides."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from kairos.engine.rule.content.template_facts import ROOTS, TemplateFacts
from kairos.engine.rule.content.template_place import TemplatePlaces
from kairos.engine.rule.content.templates import Templates
from kairos.engine.rule.fields.common import CHANNEL
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.content.heads import check_begun, check_head
from kairos.engine.rule.lint.content.materials import check_materials, check_unused
from kairos.engine.rule.lint.content.messages import check_messages
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.model import Send
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import Report, listed, nearest, shown

# What these say is the record's data itself; the others have nothing to say without a template.
SPEAKS_ALONE = ("webhook", "console", "file")


@dataclass(frozen=True)
class Use:
    """One send with a template: the names of its `data`, and where the template is named."""

    draft: Draft
    data: set[str]
    node: Node


def check_templates(
    drafts: Mapping[str, Draft], world: World, reports: Mapping[str, Report], materials: Value | None
) -> None:
    """`materials`: what could be read of materials.yaml."""
    templates, places = Templates(world.templates), TemplatePlaces(world.templates, reports)
    facts = {key: templates.facts(key) for key in world.templates}
    uses: dict[str, list[Use]] = {key: [] for key in facts}
    for draft in drafts.values():
        for send, place in draft.sends():
            key = f"{send.template}.{send.channel}"
            if send.template is None:
                if "template" not in place.keys:  # else it is there and cannot be read
                    _check_missing(draft, send, place.node)
            elif key not in facts:
                _check_unknown(draft, send, place["template"].node, facts)
            else:
                uses[key].append(Use(draft, {*draft.activity.data, *send.data}, place["template"].node))
    for key, found in facts.items():
        _check_name(key, places.report(key))
        for problem in found.problems:
            places.error(key, problem.offset, problem.code, problem.message, problem.hint)
        _check_profile(found, world, places)
        _check_catalogs(found, world, places)
        check_materials(found, world, places)
        if uses[key]:
            check_head(key, places)
        if any(use.draft.activity.state != "draft" for use in uses[key]):
            check_begun(key, places)
    check_messages((key for key in facts if uses[key] and not facts[key].problems), places)
    if _all_readable(drafts, facts, reports):
        _check_uses(facts, uses, places, {*ROOTS, *(world.catalog_names or ())})
        if materials is not None and not materials.broken:
            check_unused(materials, facts.values(), reports)


def _all_readable(
    drafts: Mapping[str, Draft], facts: Mapping[str, TemplateFacts], reports: Mapping[str, Report]
) -> bool:
    """Only then is it known which templates are used, and with what."""
    lost = any(is_of_activity(path) and path not in drafts for path in reports)
    broken = any(draft.source.broken for draft in drafts.values())
    return bool(drafts) and not lost and not broken and not any(found.problems for found in facts.values())


def _check_uses(
    facts: Mapping[str, TemplateFacts], uses: Mapping[str, list[Use]], places: TemplatePlaces, roots: Container[str]
) -> None:
    """What no send gives is the template's mistake; what only some give, that of the others. `roots`: what is read
    without `data`."""
    rendered = {name for found in facts.values() for name in found.renders}
    for key, found in facts.items():
        if not uses[key] and key not in rendered:
            places.report(key).at(1, 1, "warning", "unused-template", f"no activity sends {shown(key)}")
        given = {name for use in uses[key] for name in use.data}
        own = [v for v in found.variables if v.name.split(".")[0] not in roots] if uses[key] else []
        for variable in own:
            if variable.name not in given:
                message = f"unknown variable '{variable.name}': no `data` of a send with {shown(key)} has it"
                hint = nearest(variable.name, given) or f"add it to `data`, or read {listed(f'{r}.x' for r in ROOTS)}"
                places.error(variable.template, variable.offset, "template-variable", message, hint)
        for use in uses[key]:
            needed = dict.fromkeys(v.name for v in own if v.required and v.name in given - use.data)
            if needed:
                names = listed(needed, "and")
                message = f"template: {key} prints {names}, which `data` here does not have"
                use.draft.report.error(use.node, "template-data", message, f"add to data: {names}")


def _check_profile(facts: TemplateFacts, world: World, places: TemplatePlaces) -> None:
    for variable in facts.variables:
        root, _, name = variable.name.partition(".")
        if root == "profile" and world.profile is not None and name not in world.profile:
            message = f"'{name}' is not a declared field of the profile"
            hint = nearest(name, world.profile)
            places.error(variable.template, variable.offset, "unknown-profile-field", message, hint)


def _check_catalogs(facts: TemplateFacts, world: World, places: TemplatePlaces) -> None:
    """Items are read by their key and a field: `products[product_id].title`."""
    for variable in facts.variables:
        fields = (world.catalog_fields or {}).get(variable.name)
        if fields is None or variable.field in fields:
            continue
        if variable.field is None:
            message = f"of the catalog '{variable.name}' a field of one item is read"
            hint: str | None = f"{variable.name}[product_id].{list(fields)[-1]}"
        else:
            message = f"'{variable.field}' is not a field of the catalog {variable.name}"
            hint = nearest(variable.field, fields)
        places.error(variable.template, variable.offset, "unknown-field", message, hint)


def is_of_activity(path: str) -> bool:
    """Whether the file is an activity or a journey."""
    return path.startswith(("activities/", "journeys/")) and not path.endswith(".test.yaml")


def _check_missing(draft: Draft, send: Send, node: Node) -> None:
    if send.channel not in SPEAKS_ALONE:
        message = f"send: 'template' is missing: {send.channel} has nothing to say without one"
        draft.report.error(node, "missing-key", message, f"template: <name>, of templates/<name>.{send.channel}.liquid")


def _check_unknown(draft: Draft, send: Send, node: Node, facts: Mapping[str, TemplateFacts]) -> None:
    names = [key.removesuffix(f".{send.channel}") for key in facts if key.endswith(f".{send.channel}")]
    others = [key.rsplit(".", 1)[1] for key in facts if key.rsplit(".", 1)[0] == send.template and "." in key]
    hint = f"it exists for {listed(others, 'and')}" if others else nearest(send.template or "", names)
    message = f"template: there is no templates/{send.template}.{send.channel}.liquid (channel {send.channel})"
    draft.report.error(node, "unknown-template", message, hint)


def _check_name(key: str, report: Report) -> None:
    """<name>.<channel>, or <name> of a partial."""
    _, dot, channel = key.rpartition(".")
    if dot and channel not in CHANNEL.values:
        message = f"{shown(channel)} is not a channel: the file's name is <name>.<channel>.liquid"
        hint = nearest(channel, CHANNEL.values) or f"channels: {listed(CHANNEL.values, 'and')}"
        report.at(1, 1, "error", "bad-channel", message, hint)
