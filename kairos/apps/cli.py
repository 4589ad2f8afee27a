"""The `kairos` command. A sub-command is a module with a typer `app`, imported only when it is called.

To add one: write the module, add its row to COMMANDS. An app with one `@app.command()` becomes the command itself, one
with several a group of them (`kairos stack up`).
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup


class Command(NamedTuple):
    module: str
    summary: str


COMMANDS = {
    "lint": Command("kairos.apps.commands.lint", "Report every mistake in a rule folder, with its place."),
    "test": Command("kairos.apps.commands.rehearse", "Run the examples that stand beside the rules."),
    "simulate": Command("kairos.apps.commands.simulate", "Play a file of events; print every decision."),
    "explain": Command("kairos.apps.commands.explain", "Tell why a user got a message, or did not."),
    "preview": Command("kairos.apps.commands.preview", "Show what an activity would say to a user."),
    "publish": Command("kairos.apps.commands.publish", "Show what a change does, then write a new release."),
    "schema": Command("kairos.apps.commands.schema", "Print JSON Schema for editors."),
    "dataset": Command("kairos.apps.commands.dataset", "Fetch the example clickstream."),
    "run": Command("kairos.apps.commands.run", "Run the job on this machine."),
    "report": Command("kairos.apps.commands.report", "Sum up what a run decided."),
    "deliver": Command("kairos.apps.commands.deliver", "Send what was decided: the workers of channels."),
    "callbacks": Command("kairos.apps.commands.callbacks", "Take what providers report of messages, over HTTP."),
    "channel": Command("kairos.apps.commands.channel", "Look at channels, limit, pause and resume them."),
    "audit": Command("kairos.apps.commands.audit", "Prove that what was decided was done: once, within its limits."),
    "dead-letters": Command("kairos.apps.commands.dead_letters", "Look at what could not be used; send it again."),
    "stack": Command("kairos.apps.commands.stack", "Start, stop, look at the servers on this machine."),
    "database": Command("kairos.apps.commands.database", "Make the tables of a database, and say who may do what."),
    "list": Command("kairos.apps.commands.user_list", "Keep the black list, the white list, and crowds by hand."),
    "profiles": Command("kairos.apps.commands.profiles", "Write what is known of users into Redis."),
    "heartbeat": Command("kairos.apps.commands.heartbeat", "Tell the job that time passes while users are silent."),
    "source": Command("kairos.apps.commands.source", "Say where events may come from, and how fast."),
    "gateway": Command("kairos.apps.commands.gateway", "Take events over HTTP into Kafka."),
    "bridge": Command("kairos.apps.commands.bridge", "Carry queues and topics of others into Kafka as events."),
    "replay": Command("kairos.apps.commands.replay", "Feed a file of events into Kafka as live traffic."),
    "demo": Command("kairos.apps.commands.demo", "See a story told by real servers, job and workers."),
    "cluster": Command("kairos.apps.commands.cluster", "Run the job on a standalone Flink cluster on this machine."),
}

EPILOG = """Start with: kairos lint rules/ && kairos test rules/

Exit codes: 0 done, 1 something was found or failed, 2 it could not start (wrong arguments, missing or wrong files)."""


class LazyGroup(TyperGroup):
    """Knows every command's name and summary without importing it: `kairos --help` and start-up stay fast."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands: Any = dict.fromkeys(COMMANDS)  # the names, for "did you mean"

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(COMMANDS[cmd_name].module).app)
        command.name = cmd_name
        command.params = [p for p in command.params if p.name not in ("install_completion", "show_completion")]
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])


app = typer.Typer(
    cls=LazyGroup,
    name="kairos",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)


@app.callback()
def kairos() -> None:
    """Recognise the right moment in every user's events, decide, and reach out exactly once."""


_OUTPUT_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows few characters is no reason to stop
    try:
        app(prog_name="kairos")
    except OSError as error:
        if error.errno not in _OUTPUT_FULL:
            raise
        sys.stderr.write(f"kairos: cannot write the output: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(2)  # a regular exit would try to write the rest once more
