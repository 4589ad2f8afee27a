"""`kairos heartbeat`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps import heartbeat as process
from kairos.apps.inputs.kafka import Broker, ConfFile, Overrides, kafka_of
from kairos.apps.inputs.status import Status
from kairos.apps.view.errors import told

app = typer.Typer(rich_markup_mode=None)


@app.command()
def heartbeat(
    conf: ConfFile = None,
    set: Overrides = None,
    kafka: Broker = None,
    note: Annotated[Path | None, typer.Option(help="A file that tells of the last round.")] = None,
    status: Status = None,
) -> None:
    """Write a heartbeat a second into every partition of the topics that the job reads, until stopped.

    Without it nothing that waits for silence ("unpaid for 10 minutes") fires while users are silent.

    \b
    Examples:
      kairos heartbeat                           the local stack's Kafka
      kairos heartbeat --conf conf/local.yaml    as the job reads them
    """
    with told():
        process.main(kafka_of(kafka, conf, set), note, status)
