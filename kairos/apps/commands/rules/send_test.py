"""`kairos send-test`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.channels.channel import Accepted, Misconfigured, Unknown
from kairos.adapters.settings.delivery import load
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.files import read_events, valid_rules
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import Everyone, everyone
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, paint
from kairos.engine.rule.journey import journey_of
from kairos.usecases.rules import send_test as usecase
from kairos.usecases.rules.preview import preview_of_events, preview_of_examples, speaking_activities

app = typer.Typer(rich_markup_mode=None)


@app.command("send-test")
def send_test(
    activity: Annotated[str, typer.Argument(help="The activity, or `<journey>.<step>`, whose message is sent.")],
    to: Annotated[str, typer.Option(help="A user, or an address: of a mail, a phone, or what --channel takes.")],
    channel: Annotated[str | None, typer.Option(help="On this channel only.")] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
    events: Annotated[
        Path | None, typer.Option(help="Events that lead to the message, JSON lines; else those of an example.")
    ] = None,
    conf: Annotated[Path, typer.Option(help="The configuration, with `delivery.channels`.")] = Path("conf/local.yaml"),
    profiles: Everyone = None,
) -> None:
    """Send a message to oneself, as it would be, through the real provider of its channel.

    It is marked (`test`, and `[Test]` before a title or subject), and counts nowhere: no cap, no budget, no code of a
    coupon, no ledger, no measure. To a user goes every entry of `send` that reaches her, to an address those of its
    kind. The values are those of `kairos preview`.

    \b
    Examples:
      kairos send-test cart_left --to me@example.com
      kairos send-test payment_unfinished --to user_0232 --channel push
    """
    with told():
        rule_set, loaded = valid_rules(rules)
        specs = speaking_activities(rule_set, activity, str(rules))
        settings = load(conf)
        actor = acting(settings.rules.store)
        receiver = usecase.receiver_of(to, everyone(profiles, conf).find(to), channel)
        people = {to: dict(receiver.profile)} if receiver.profile is not None else None
        given = None if events is None else read_events(events, rule_set.sources)
        tried = []
        for spec in specs:
            found = (
                preview_of_examples(rule_set, spec, receiver.user_id, loaded.tests.get(journey_of(activity)), people)
                if given is None
                else preview_of_events(rule_set, spec, receiver.user_id, given, people)
            )
            entries = usecase.entries_for(found, receiver, channel)
            tried += usecase.send_all(settings, found, entries, receiver, actor, now())
    for each in tried:
        sys.stdout.write(_told(each) + "\n")
    raise typer.Exit(0 if tried and all(isinstance(each.outcome, Accepted) for each in tried) else 1)


def _told(each: usecase.Tried) -> str:
    to = f" to {escape(each.address)}" if each.address else ""
    head = f"{each.activity}: {each.channel}{to}: "
    outcome = each.outcome
    if outcome is None:
        return head + paint(f"not sent: {escape(each.why)}", "warning", sys.stdout)
    if isinstance(outcome, Accepted):
        return head + "taken" + (f" as {escape(outcome.provider_id)}" if outcome.provider_id else "")
    what = {Misconfigured: "the configuration is wrong", Unknown: "nobody knows whether it went"}
    said = f"{what.get(type(outcome), 'refused')}: {escape(outcome.reason)}"
    return head + paint(said, "error", sys.stdout)
