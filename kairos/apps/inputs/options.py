"""What is true of the options of all commands: none is empty, and `--conf` says which installation they are about."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperOption

from kairos.apps.inputs.installation import CONF, PLACES, is_named, name_installation

MAY_BE_EMPTY = frozenset({"comment", "label", "reason", "title", "unless"})
"""Options that may be given and say nothing. Any other that is given and empty was a variable that is not set: as a
path it would be the working directory, as a store none, and what was meant is another one."""


def prepare(command: Any) -> None:
    """What is true of the options of every command."""
    _belongs(command)
    for param in command.params:
        if param.name not in MAY_BE_EMPTY:
            _refuse_empty(param)


def _refuse_empty(param: Any) -> None:
    """Before the text becomes what it stands for: an empty path would be `.`."""
    process = param.process_value

    def checked(context: Any, value: Any) -> Any:
        source = context.get_parameter_source(param.name)  # None: it is asked for, where a bare Enter is an answer
        given = source is not None and source.name == "COMMANDLINE"
        if given and (value == "" or (isinstance(value, list | tuple) and "" in value)):
            raise typer.BadParameter("it is empty; say which, or leave it out", ctx=context, param=param)
        return process(context, value)

    param.process_value = checked


def _belongs(command: Any) -> None:
    """`--conf`, or else one variable, says for all commands which installation they are about."""
    named = {param.name: param for param in command.params if isinstance(param, TyperOption)}
    if "conf" not in named and named.keys() & PLACES:
        named["conf"] = _conf_option()
        command.params.append(named["conf"])
    if "conf" in named:
        _names_installation(named["conf"])
    for name in named.keys() & {"store", "profiles"}:
        _after_the_line(named[name])


def _conf_option() -> Any:
    """As typer makes it; the command itself does not hear of it."""
    of_it = typer.Typer(add_completion=False)

    @of_it.command()
    def command(
        conf: Annotated[str | None, typer.Option(help="The installation: its rule store and its warehouse.")] = None,
    ) -> None:
        """It is never called."""

    (option,) = (param for param in typer.main.get_command(of_it).params if param.name == "conf")
    option.expose_value = False
    return option


def _names_installation(param: Any) -> None:
    """Before the others are read, which may have its places as their defaults."""
    param.envvar, param.is_eager = param.envvar or CONF, True
    process = param.process_value

    def heard(context: Any, value: Any) -> Any:
        found = process(context, value)
        given = context.get_parameter_source("conf").name == "COMMANDLINE"
        name_installation(str(found) if given else None)
        context.call_on_close(lambda: name_installation(None))
        return found

    param.process_value = heard


def _after_the_line(param: Any) -> None:
    """A variable that names one place does not go before a configuration on the line."""
    process = param.process_value

    def checked(context: Any, value: Any) -> Any:
        passed_over = is_named() and context.get_parameter_source(param.name).name == "ENVIRONMENT"
        return process(context, None if passed_over else value)

    param.process_value = checked
