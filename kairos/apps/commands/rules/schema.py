"""`kairos schema`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from kairos.apps.view.terminal import fail

app = typer.Typer(rich_markup_mode=None)


@app.command()
def schema(
    file: Annotated[
        str | None, typer.Argument(help="activity, examples, metrics, ...; without: all, as definitions.")
    ] = None,
    reference: Annotated[bool, typer.Option("--reference", help="The same for people: docs/reference.md.")] = False,
) -> None:
    """Print JSON Schema of the rule files, so that editors complete and check them.

    \b
    Examples:
      kairos schema activity > activity.schema.json
      kairos schema --reference > docs/reference.md
    """
    if reference:
        from kairos.engine.rule.form.reference import reference as whole_reference

        sys.stdout.write(whole_reference())
    else:
        sys.stdout.write(json.dumps(_document(file), indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _document(file: str | None) -> dict[str, object]:
    from kairos.engine.rule.form.schema import FILES, json_schema

    document = json_schema()
    if file is None:
        return document
    if file not in FILES:
        fail(f"there is no kind of file {file!r}; there are {', '.join(FILES)}")
    return {"$schema": document["$schema"], "$ref": f"#/$defs/{file}", "$defs": document["$defs"]}
