"""`kairos people find | show | merge | forget | import | index`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kairos.apps.inputs.acting import writing
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import now
from kairos.apps.native.settings import data_folder
from kairos.apps.view.errors import told
from kairos.apps.view.people import found_lines, gone_lines, imported_lines, person_lines, plain_person
from kairos.apps.view.terminal import count, escape, fail, fitted, progress_bar, quote, say

if TYPE_CHECKING:
    from kairos.usecases.people.places import Places

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

User = Annotated[str, typer.Argument(help="The user id.")]
Conf = Annotated[Path, typer.Option(help="Where everything is: profiles, warehouse, delivery.store, search.")]
Set = Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")]
Rules = Annotated[Path, typer.Option(help="The rule folder, with grades.yaml.")]
Format = Annotated[Literal["text", "json"], typer.Option(help="How to print it.")]
CONF, RULES = Path("conf/embedded.yaml"), Path("rules")


@app.callback()
def people() -> None:
    """Find a person by whatever one has of her, and know what is known: by whom it was said, what she got, and why.

    \b
    Examples:
      kairos people find +447700900123
      kairos people show user_0417
    """


@app.command("find")
def find_command(
    text: Annotated[str, typer.Argument(help="A user id, phone number, mail address, openid, device or order.")],
    conf: Conf = CONF,
    set: Set = None,
    most: Annotated[int, typer.Option(help="So many people at most.")] = 20,
    format: Format = "text",
) -> None:
    """Who it is. Exit 1 where nobody is found.

    \b
    Examples:
      kairos people find +447700900123
      kairos people find A-20417 --conf conf/local.yaml
    """
    from kairos.usecases.people.find import find

    with told(), _places(conf, set).store() as store:
        found = find(store, text, most)
    if format == "json":
        _print([{"user_id": one.user_id, "by": list(one.by), "last": one.last or None} for one in found])
    else:
        _lines(found_lines(found))
    if not found:
        say(f"nobody is found by {quote(text)}: what is searched is made by kairos people index")
        raise typer.Exit(1)


@app.command("show")
def show_command(user: User, conf: Conf = CONF, set: Set = None, rules: Rules = RULES, format: Format = "text") -> None:
    """Identities, profile, crowds, scores, lists, consents, what waits for her, and the last decisions with reasons.

    \b
    Examples:
      kairos people show user_0417
      kairos people show user_0417 --format json
    """
    from kairos.usecases.people.show import show

    with told():
        person = show(_places(conf, set, rules), user)
    if format == "json":
        _print(plain_person(person))
    else:
        _lines(person_lines(person))


@app.command("merge")
def merge_command(
    user: Annotated[str, typer.Argument(help="Who she is from now on.")],
    other: Annotated[str, typer.Argument(help="The id that was hers as well.")],
    conf: Conf = CONF,
    set: Set = None,
    rules: Rules = RULES,
) -> None:
    """Two ids are one person. The stricter counts: refusals, black list, control groups and what was sent under either.

    \b
    Example:
      kairos people merge u17 u1702
    """
    from kairos.usecases.people.merge import merge

    with told():
        places = _places(conf, set, rules)
        done = merge(places, user, other, writing(places.log), now())
    say(f"{quote(other)} is {quote(user)} now: {count(done.identities, 'identity', 'identities')} lead to her, "
        f"{count(done.sends, 'message')} count for caps and once")  # fmt: skip


@app.command("forget")
def forget_command(user: User, conf: Conf = CONF, set: Set = None) -> None:
    """Erase a person: profile, lists, identities, the warehouse, search, her name in the ledger, what the job keeps.

    What is loaded later is loaded: erase her where profiles and events come from, too. Exit 1 while a message to her is
    under way; say it again then.

    \b
    Example:
      kairos people forget user_0417 --conf conf/local.yaml
    """
    from kairos.usecases.people.forget import forget

    with told():
        places = _places(conf, set)
        gone = forget(places, user, writing(places.log), now())
    _lines(gone_lines(gone))
    if not gone.keys() - {"job"}:
        say(f"{quote(user)}: there is nothing about this user")
    if gone.get("ledger", {}).get("under way"):
        raise typer.Exit(1)


@app.command("index")
def index_command(conf: Conf = CONF, set: Set = None, rules: Rules = RULES) -> None:
    """Make what people are found by anew, from the warehouse; who searches meanwhile is answered as before.

    \b
    Example:
      kairos people index --conf conf/local.yaml
    """
    from kairos.usecases.people.index import index

    with told():
        places = _places(conf, set, rules)
        with places.store() as store:
            entries = index(places.warehouse_folder(), places.rules, store, progress=progress_bar)
    say(f"{count(entries, 'entry', 'entries')}")


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with a column user_id; JSON: user id -> fields.")],
    conf: Conf = CONF,
    set: Set = None,
    rules: Rules = RULES,
    map: Annotated[list[str] | None, typer.Option(help="field=column; user_id=column too. Others are left.")] = None,
    source: Annotated[str | None, typer.Option(help="Who says it; default: the file's name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and compare everything, write nothing.")] = False,
) -> None:
    """Add to profiles what a table says. What it does not say stays; no refusal is ever taken back by it.

    Rows that are wrong are told as FILE:LINE and left out; exit 1 then. Stopped in between, the same command goes on.

    \b
    Examples:
      kairos people import crm.csv --dry-run
      kairos people import crm.csv --map user_id=CustomerNo \\
        --map email=E-Mail --source crm
    """
    from kairos.usecases.people.import_file import Wanted, import_people

    def report(place: str, problem: str) -> None:
        sys.stderr.write(f"{escape(str(file))}:{escape(place)}: {quote(problem)}\n")

    with told():
        rule_set, _ = valid_rules(rules)
        into, log = _importing(conf, set)
        columns, said = _mapping(map or []), source or file.name
        wanted = Wanted(file, columns, rule_set.profile, said, now(), writing(log), log)
        done = import_people(wanted, into, data_folder() / "imports", report, progress_bar, dry_run=dry_run)
    _lines(imported_lines(done, dry_run=dry_run))
    if done.reported:
        raise typer.Exit(1)


def _places(conf: Path, overrides: list[str] | None, rules: Path | None = None) -> Places:
    """`rules` None: nothing of them is asked."""
    from kairos.adapters.settings.people import load
    from kairos.usecases.people.places import places_of

    settings = load(conf, overrides or ())
    if rules is None:
        return places_of(settings)
    rule_set, loaded = valid_rules(rules)
    return places_of(settings, rule_set, loaded.grades)


def _importing(conf: Path, overrides: list[str] | None) -> tuple[Any, str]:
    """Into what, and the rule store whose log has it."""
    from kairos.adapters.profiles.imports import FileImporting, RedisImporting
    from kairos.adapters.settings.people import load

    settings = load(conf, overrides or ())
    profiles = settings.profiles
    if not profiles.redis and not profiles.file:
        fail(f"{escape(str(conf))}: neither profiles.redis nor profiles.file says where people are kept")
    into = RedisImporting(profiles.redis) if profiles.redis else FileImporting(Path(profiles.file or ""))
    return into, settings.rules.store


def _mapping(given: list[str]) -> dict[str, str]:
    """Column -> field, of `field=column`."""
    found: dict[str, str] = {}
    for pair in given:
        field, equals, column = pair.partition("=")
        if not equals or not field or not column:
            fail(f"--map {escape(pair)}: expected field=column, such as email=E-Mail")
        found[column] = field
    return found


def _print(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def _lines(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{fitted(line, hang=28)}\n" for line in lines))
