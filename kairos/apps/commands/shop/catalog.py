"""`kairos catalog`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.files.told import ToldInFile
from kairos.adapters.kafka.due import KafkaDue
from kairos.apps.inputs.acting import NamedLog, writing
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.kafka import Broker, ConfFile, Overrides, kafka_of, log_of
from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, quote
from kairos.usecases.shop.load_items import load_items

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def catalog() -> None:
    """Items that users follow, as catalogs.yaml declares them.

    \b
    Example:
      kairos catalog load products.csv
    """


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="Items: .csv, .jsonl, or .json with an array of objects.")],
    catalog: Annotated[str | None, typer.Option(help="Which catalog; not needed where there is one.")] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
    out: Annotated[Path | None, typer.Option(help="Append the events to this file, in place of Kafka.")] = None,
    kafka: Broker = None,
    conf: ConfFile = None,
    set: Overrides = None,
    store: NamedLog = None,
) -> None:
    """Tell the job what items are, now: one event `catalog.item` each. What is as it was is no change.

    A column or field is named as the catalog declares it; others are left out, and an empty cell says nothing.

    \b
    Examples:
      kairos catalog load products.csv
      kairos catalog load products.jsonl --out events.jsonl
    """
    with told():
        rule_set, _ = valid_rules(rules)
        name = catalog or next(iter(rule_set.catalogs), "")
        log = None if out is not None else log_of(store, conf, set)
        actor = writing(log)
        outlet = ToldInFile(out) if out is not None else KafkaDue(kafka_of(kafka, conf, set))
        try:
            done = load_items(file, name, rule_set.catalogs, now(), outlet, _tell, actor=actor, log=log)
        finally:
            outlet.close()
    left = f", {done.left_out:,} left out" if done.left_out else ""
    sys.stdout.write(f"{name}: {done.told:,} items told{left}\n")
    raise typer.Exit(1 if done.left_out else 0)


def _tell(place: str, why: str) -> None:
    sys.stderr.write(f"{escape(place)}: {quote(why, 200)}; left out\n")
