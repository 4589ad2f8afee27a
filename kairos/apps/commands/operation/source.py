"""`kairos source add | list | show | on | off | limit | key`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kairos.adapters.kafka.topics import KafkaUnreachableError
from kairos.adapters.settings.gateway import SourcesConf, load, load_sources
from kairos.adapters.sources.text import SourceTextError, read_sources, write_source
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.author import MAX_NAME
from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail, say
from kairos.engine.topics import events_topic
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import NotThereError, reason_of
from kairos.usecases.operation import sources as usecase
from kairos.usecases.operation.limits import limit_of, reference_of, spelt, whole_limit_of
from kairos.usecases.operation.sources import Limits

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The source.")]
ConfFile = Annotated[Path, typer.Option("--conf", help="The configuration that the gateway has.")]
By = Annotated[str | None, typer.Option(help="Who changes it; else the system's user name.")]
CONF = Path("conf/local.yaml")


@app.callback()
def source() -> None:
    """Where events may come from. What is changed here holds a second later, with no restart.

    For sources in a database: `gateway.sources` of the configuration, else `sources.store`, else `rules.store`. Those
    of a rule folder are shown, and changed in its sources.yaml.

    \b
    Examples:
      kairos source add shop.yaml
      kairos source key shop --label "web server"
    """


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="Records as sources.yaml has them.")],
    conf: ConfFile = CONF,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Of a new topic; default: kafka.create_topics. More for more traffic.")
    ] = None,
    by: By = None,
) -> None:
    """Add sources, or replace their definitions; keys and limits of known ones stay. Makes their topics.

    \b
    Examples:
      kairos source add shop.yaml
      kairos source add shop.yaml --partitions 12
    """
    try:
        found = read_sources(file.read_bytes(), str(file))
    except OSError as error:
        fail(f"{escape(str(file))}: {reason_of(error)}")
    except SourceTextError as error:
        for finding in error.findings:
            typer.echo(str(finding))
        raise typer.Exit(1) from None
    with told():
        settings = load(conf)
        for name, new in usecase.put_sources(settings, list(found.values()), _who(settings, by), now()).items():
            typer.echo(f"{name}: {'added' if new else 'definition replaced'}")
        try:
            made = usecase.make_topics(settings, list(found), partitions)
        except KafkaUnreachableError as error:
            topics = ", ".join(events_topic(name) for name in found)
            say(f"{topics}: not made now, the gateway does it when Kafka is back: {error}")
            raise typer.Exit(1) from None
    for topic, new in made.items():
        typer.echo(f"topic {topic}: {'made' if new else 'there already'}")


@app.command(name="list")
def list_(conf: ConfFile = CONF) -> None:
    """All sources: on or off, limits, keys, event types.

    \b
    Example:
      kairos source list
    """
    with told():
        snapshot = usecase.list_sources(load_sources(conf))
    for name, entry in snapshot.entries.items():
        access = entry.access
        rate = "no limit" if access.rate is None else f"{access.rate:g}/s"
        door = "signed" if access.hmac else f"{len(access.keys)} keys"
        kinds = ", ".join(entry.source.events)
        typer.echo(f"{name:20} {'on' if entry.source.enabled else 'off':4} {rate:12} {door:8} {kinds}".rstrip())
    _tell(snapshot.problems)


@app.command()
def show(name: Name, conf: ConfFile = CONF) -> None:
    """One source: its record, its keys (not the keys themselves), and who changed what and when.

    \b
    Example:
      kairos source show shop
    """
    with told():
        settings = load_sources(conf)
        try:
            shown = usecase.show_source(settings, name)
        except NotThereError:
            _tell(usecase.list_sources(settings).problems)
            raise
    _tell(shown.problems)
    entry = shown.entry
    access = entry.access
    typer.echo(write_source(entry.source))
    typer.echo(f"rate: {'no limit' if access.rate is None else f'{access.rate:g} events a second'}")
    typer.echo(f"max_bytes: {access.max_bytes:,}")
    typer.echo(f"priority: {access.priority}")
    typer.echo(f"hmac: {spelt(access.hmac)}")
    for key in shown.keys:
        typer.echo(f"key {key.id}  {_when(key.created_at)}  {escape(key.created_by)}  {escape(key.label)}".rstrip())
    for change in shown.changes:
        typer.echo(f"{_when(change.at)}  {escape(change.by)}  {escape(change.what)}")


@app.command()
def on(name: Name, conf: ConfFile = CONF, by: By = None) -> None:
    """Take its events again.

    \b
    Example:
      kairos source on shop
    """
    with told():
        settings = load_sources(conf)
        usecase.switch_source(settings, name, True, _who(settings, by), now())
    typer.echo(f"{name}: on")


@app.command()
def off(name: Name, conf: ConfFile = CONF, by: By = None) -> None:
    """Take no more of its events; its definition, keys and limits stay.

    \b
    Example:
      kairos source off shop
    """
    with told():
        settings = load_sources(conf)
        usecase.switch_source(settings, name, False, _who(settings, by), now())
    typer.echo(f"{name}: off")


@app.command()
def limit(
    name: Name,
    rate: Annotated[str | None, typer.Option(help="Events a second, or none.")] = None,
    max_bytes: Annotated[str | None, typer.Option(help="Bytes of one event, or none for what any may have.")] = None,
    hmac: Annotated[
        str | None, typer.Option(help="Where the secret is that it signs with: env:NAME, file:PATH, or none.")
    ] = None,
    priority: Annotated[
        str | None, typer.Option(help="0 to 100, or none for 50; the lowest give way first when all is slow.")
    ] = None,
    conf: ConfFile = CONF,
    by: By = None,
) -> None:
    """Set how fast it may send, how large an event may be, whether its requests are signed, and who gives way first.

    \b
    Examples:
      kairos source limit shop --rate 500
      kairos source limit shop --rate none --hmac env:SHOP_SECRET
      kairos source limit shop --priority 90
    """
    with told():
        limits = Limits(
            msgspec.UNSET if rate is None else limit_of(rate, "--rate"),
            msgspec.UNSET if max_bytes is None else whole_limit_of(max_bytes, "--max-bytes"),
            msgspec.UNSET if hmac is None else reference_of(hmac, "--hmac"),
            msgspec.UNSET if priority is None else whole_limit_of(priority, "--priority"),
        )
        if limits == Limits():
            raise typer.BadParameter("say what to set: --rate, --max-bytes, --hmac or --priority")
        settings = load_sources(conf)
        what = usecase.limit_source(settings, name, limits, _who(settings, by), now())
    typer.echo(f"{name}: {what}")


@app.command()
def key(
    name: Name,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
    revoke: Annotated[
        str | None, typer.Option(help="The id of a key that holds no longer (`show` lists them).")
    ] = None,
    conf: ConfFile = CONF,
    by: By = None,
) -> None:
    """Make an API key and print it, this one time: only its hash is kept. Or revoke one.

    \b
    Examples:
      kairos source key shop --label "web server"
      kairos source key shop --revoke 3f9a01bc
    """
    with told():
        settings = load_sources(conf)
        actor = _who(settings, by)
        if revoke is not None:
            usecase.revoke_key(settings, name, revoke, actor, now())
            typer.echo(f"{name}: key {revoke} revoked")
        else:
            typer.echo(usecase.add_key(settings, name, label[:MAX_NAME], actor, now()))


def _who(conf: SourcesConf, by: str | None) -> Actor:
    return acting(conf.rules.store, by[:MAX_NAME] if by else None)


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _tell(problems: tuple[str, ...]) -> None:
    for problem in problems:
        say(problem)
