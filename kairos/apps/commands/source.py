"""`kairos source add | list | show | on | off | limit | key`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.author import MAX_NAME, user_name
from kairos.apps.console import escape, fail, reason_of, say

if TYPE_CHECKING:
    from kairos.adapters.sources_sql import SqlSourceStore
    from kairos.apps.gateway.settings import Conf

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The source.")]
ConfFile = Annotated[Path, typer.Option("--conf", help="The configuration that the gateway has.")]
By = Annotated[str | None, typer.Option(help="Who changes it; else the system's user name.")]
CONF = Path("conf/local.yaml")
NONE = "none"


@app.callback()
def source() -> None:
    """Where events may come from. What is changed here holds a second later, with no restart.

    For sources in a database: `gateway.sources` of the configuration, else `sources.store`, else `rules.store`. Those
    of a rule folder stand in its sources.yaml.
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
    from kairos.adapters.kafka_client import client_options
    from kairos.adapters.kafka_topics import KafkaUnreachableError, create_topics
    from kairos.adapters.sources import topic_of
    from kairos.adapters.sources_text import SourceTextError, read_sources

    try:
        found = read_sources(file.read_bytes(), str(file))
    except OSError as error:
        fail(f"{escape(str(file))}: {reason_of(error)}")
    except SourceTextError as error:
        for finding in error.findings:
            typer.echo(str(finding))
        raise typer.Exit(1) from None
    with _store(conf) as (store, settings):
        for name, one in found.items():
            typer.echo(f"{name}: {'added' if store.put(one, _who(by)) else 'definition replaced'}")
        topics = [topic_of(name) for name in found]
        try:
            made = create_topics(
                client_options(settings.kafka), topics, partitions or settings.kafka.create_topics or 2
            )
        except KafkaUnreachableError as error:
            say(f"{', '.join(topics)}: not made now, the gateway does it when Kafka is back: {error}")
            raise typer.Exit(1) from None
        for topic in topics:
            typer.echo(f"topic {topic}: {'made' if topic in made else 'there already'}")


@app.command(name="list")
def list_(conf: ConfFile = CONF) -> None:
    """All sources: on or off, limits, keys, event types."""
    with _store(conf) as (store, _):
        snapshot = store.read()
    for name, entry in snapshot.entries.items():
        access = entry.access
        rate = "no limit" if access.rate is None else f"{access.rate:g}/s"
        door = "signed" if access.hmac else f"{len(access.keys)} keys"
        kinds = ", ".join(entry.source.events)
        typer.echo(f"{name:20} {'on' if entry.source.enabled else 'off':4} {rate:12} {door:8} {kinds}".rstrip())
    _tell(snapshot.problems)


@app.command()
def show(name: Name, conf: ConfFile = CONF) -> None:
    """One source: its record, its keys (not the keys themselves), and who changed what and when."""
    from kairos.adapters.sources_text import write_source

    with _store(conf) as (store, _):
        snapshot = store.read()
        entry = snapshot.entries.get(name)
        _tell(snapshot.problems)
        if entry is None:
            fail(f"there is no source '{escape(name)}'; there are {', '.join(snapshot.entries) or 'none'}")
        keys, changes = store.keys(name), store.changes(name)
    access = entry.access
    typer.echo(write_source(entry.source))
    typer.echo(f"rate: {'no limit' if access.rate is None else f'{access.rate:g} events a second'}")
    typer.echo(f"max_bytes: {access.max_bytes:,}")
    typer.echo(f"hmac: {_spelt(access.hmac)}")
    for key in keys:
        typer.echo(f"key {key.id}  {_when(key.created_at)}  {escape(key.created_by)}  {escape(key.label)}".rstrip())
    for at, who, what in changes:
        typer.echo(f"{_when(at)}  {escape(who)}  {escape(what)}")


@app.command()
def on(name: Name, conf: ConfFile = CONF, by: By = None) -> None:
    """Take its events again."""
    with _store(conf) as (store, _):
        store.set(name, {"enabled": True}, "switched on", _who(by))
    typer.echo(f"{name}: on")


@app.command()
def off(name: Name, conf: ConfFile = CONF, by: By = None) -> None:
    """Take no more of its events; its definition, keys and limits stay."""
    with _store(conf) as (store, _):
        store.set(name, {"enabled": False}, "switched off", _who(by))
    typer.echo(f"{name}: off")


@app.command()
def limit(
    name: Name,
    rate: Annotated[str | None, typer.Option(help="Events a second, or none.")] = None,
    max_bytes: Annotated[str | None, typer.Option(help="Bytes of one event, or none for what any may have.")] = None,
    hmac: Annotated[
        str | None, typer.Option(help="Where the secret is that it signs with: env:NAME, file:PATH, or none.")
    ] = None,
    conf: ConfFile = CONF,
    by: By = None,
) -> None:
    """Set how fast it may send, how large an event may be, and whether its requests are signed.

    \b
    Examples:
      kairos source limit shop --rate 500
      kairos source limit shop --rate none --hmac env:SHOP_SECRET
    """
    from kairos.engine.event import MAX_BYTES

    changes = {
        **({} if rate is None else {"rate": _number(rate, "--rate")}),
        **({} if max_bytes is None else {"max_bytes": _whole(max_bytes, MAX_BYTES)}),
        **({} if hmac is None else {"hmac": _reference(hmac)}),
    }
    if not changes:
        raise typer.BadParameter("say what to set: --rate, --max-bytes or --hmac")
    what = ", ".join(f"{key} {NONE if value is None else value}" for key, value in changes.items())
    with _store(conf) as (store, _):
        store.set(name, changes, what, _who(by))
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
    from kairos.adapters.sources import key_hash

    with _store(conf) as (store, _):
        if revoke is not None:
            store.revoke_key(name, revoke, _who(by))
            typer.echo(f"{name}: key {revoke} revoked")
            return
        made = f"kairos_{secrets.token_urlsafe(32)}"
        store.add_key(name, key_hash(made), label[:MAX_NAME], _who(by))
    typer.echo(made)


@contextmanager
def _store(conf: Path) -> Iterator[tuple[SqlSourceStore, Conf]]:
    """Whatever goes wrong inside is told, and ends the command with 2."""
    from kairos.adapters.sources import SourceStoreError
    from kairos.adapters.sources_sql import SqlSourceStore
    from kairos.apps.gateway.settings import load

    try:
        settings = load(conf)
        if "://" not in settings.sources:
            fail(f"{conf}: its sources are those of {settings.sources}/sources.yaml: edit them there")
        yield SqlSourceStore(settings.sources), settings
    except (SettingsError, SourceStoreError) as error:
        fail(str(error))


def _who(by: str | None) -> str:
    return by[:MAX_NAME] if by else user_name()


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _tell(problems: tuple[str, ...]) -> None:
    for problem in problems:
        say(problem)


def _spelt(reference: dict[str, str] | None) -> str:
    return NONE if reference is None else ", ".join(f"{kind}:{name}" for kind, name in reference.items())


def _number(text: str, option: str) -> float | None:
    if text == NONE:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise typer.BadParameter(f"{option} '{text}': expected a number above 0, or {NONE}")
    return value


def _whole(text: str, most: int) -> int | None:
    value = _number(text, "--max-bytes")
    if value is not None and not 1 <= value <= most:
        raise typer.BadParameter(f"--max-bytes '{text}': expected 1 to {most}, or {NONE}")
    return None if value is None else int(value)


def _reference(text: str) -> str | None:
    kind, _, name = text.partition(":")
    if text == NONE:
        return None
    if kind not in ("env", "file") or not name:
        raise typer.BadParameter(f"--hmac: expected env:NAME, file:PATH or {NONE}; the secret itself has no place here")
    return msgspec.json.encode({kind: name}).decode()
