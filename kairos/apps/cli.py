"""The `kairos` command. A sub-command is a module with a typer `app`, imported only when it is called.

To add one: write the module, add its row to COMMANDS. An app with one `@app.command()` becomes the command itself, one
with several a group of them (`kairos stack up`). The folder of the module is the heading under which `--help` lists it.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from kairos import __version__
from kairos.apps.inputs.options import prepare


class Command(NamedTuple):
    module: str
    summary: str


COMMANDS = {
    "new": Command("rules.new", "Begin an activity: its file, its example, its text."),
    "plans": Command("rules.plans", "Make activities of plans: a library with parameters and tests."),
    "lint": Command("rules.lint", "Report every mistake in a rule folder, with its place."),
    "test": Command("rules.test", "Run the examples that stand beside the rules."),
    "simulate": Command("rules.simulate", "Play a file of events; print every decision."),
    "explain": Command("rules.explain", "Tell why a user got a message, or did not."),
    "preview": Command("rules.preview", "Show what an activity would say to a user."),
    "send-test": Command("rules.send_test", "Send a message to oneself, through the real provider."),
    "journey": Command("rules.journey", "Draw a journey: its steps and what ends it."),
    "schedule": Command("rules.schedule", "List the slots of the calendar to come, and for how many."),
    "count": Command("rules.count", "Say whom a slot would reach, and what stops the others."),
    "compare": Command("rules.compare", "Tell what a change of rules would have done."),
    "backtest": Command("rules.backtest", "The same over the warehouse, as a Flink job."),
    "tune": Command("rules.tune", "Try values of a rule, and find the one that meets a wish."),
    "shadow": Command("rules.shadow", "Tell what is on trial beside a live activity would have done."),
    "publish": Command("rules.publish", "Show what a change does, then write a new release."),
    "schema": Command("rules.schema", "Print JSON Schema for editors."),
    "submit": Command("control.submit", "Ask those to agree to a change who have to."),
    "reviews": Command("control.reviews", "List what was submitted, and whose turn it is."),
    "approve": Command("control.approve", "Agree to what was submitted."),
    "reject": Command("control.reject", "Send back what was submitted."),
    "releases": Command("control.releases", "List what was published, when and by whom."),
    "diff": Command("control.diff", "Tell what differs between two releases."),
    "rollback": Command("control.rollback", "Publish the content of an earlier release again."),
    "history": Command("control.history", "Tell what became of an activity, by whom and why."),
    "pause": Command("control.pause", "Stop activities in the running job, without a release."),
    "resume": Command("control.resume", "Let activities go on that were paused."),
    "end": Command("control.end", "End activities for good."),
    "users": Command("control.users", "Say who may do what; make tokens for programs."),
    "people": Command("people.people", "Find a person, know all of her; merge, forget, import."),
    "crowds": Command("people.crowds", "Build kept crowds, and look at them."),
    "scores": Command("people.scores", "Fit what models say of users; put it into their profiles."),
    "leads": Command("people.leads", "List who fits and is interested, with the reasons."),
    "list": Command("people.list", "Keep the black list, the white list, and crowds by hand."),
    "consent": Command("people.consent", "Write down what somebody says of a topic."),
    "profiles": Command("people.profiles", "Write what is known of users into Redis."),
    "catalog": Command("shop.catalog", "Tell the job what items are that users follow."),
    "coupons": Command("shop.coupons", "Put codes into pools; see how many are left."),
    "report": Command("results.report", "Sum up what a run decided."),
    "measure": Command("results.measure", "Ask what came of it: reach, lift, retention, money and more."),
    "learn": Command("results.learn", "Find the best of several variants, by what users did."),
    "warehouse": Command("results.warehouse", "Keep what was decided, sent and done, to be measured."),
    "sql": Command("results.sql", "Ask the warehouse a question in SQL."),
    "audit": Command("results.audit", "Prove that what was decided was done: once, within its limits."),
    "alarms": Command("results.alarms", "Call somebody when what happens is not as it always was."),
    "run": Command("operation.run", "Run the job on this machine."),
    "stack": Command("operation.stack", "Start, stop, look at the servers on this machine."),
    "cluster": Command("operation.cluster", "Run the job on a standalone Flink cluster on this machine."),
    "fleet": Command("operation.fleet", "Start, stop, look at workers, gateway, scheduler."),
    "upgrade": Command("operation.upgrade", "Bring job and processes to this release, one by one."),
    "database": Command("operation.database", "Make the tables of a database, and say who may do what."),
    "deliver": Command("operation.deliver", "Send what was decided: the workers of channels."),
    "channel": Command("operation.channel", "Look at channels, limit, pause and resume them."),
    "callbacks": Command("operation.callbacks", "Take what providers report of messages, over HTTP."),
    "scheduler": Command("operation.scheduler", "Begin what the calendar begins: dates, times of day, blasts."),
    "heartbeat": Command("operation.heartbeat", "Tell the job that time passes while users are silent."),
    "gateway": Command("operation.gateway", "Take events over HTTP into Kafka."),
    "bridge": Command("operation.bridge", "Carry queues and topics of others into Kafka as events."),
    "source": Command("operation.source", "Say where events may come from, and how fast."),
    "api": Command("operation.api", "Serve all of this over HTTP, with the same rights."),
    "console": Command("operation.console", "Open all of this in a browser, with the same rights."),
    "dead-letters": Command("operation.dead_letters", "Look at what could not be used; send it again."),
    "replay": Command("operation.replay", "Feed a file of events into Kafka as live traffic."),
    "dataset": Command("operation.dataset", "Fetch the example clickstream."),
    "demo": Command("operation.demo", "See a story told by real servers, job and workers."),
}

HEADINGS = {
    "rules": "Rules",
    "control": "Releases, approvals, the switch",
    "people": "People",
    "shop": "Shop",
    "results": "Results",
    "operation": "Operation",
}
"""By the folders of kairos/apps/commands."""

EPILOG = """Example: kairos lint rules/ && kairos test rules/

Exit codes: 0 done, 1 something was found or failed, 2 it could not start (wrong arguments, missing or wrong files)."""


_SENTENCE = 300
"""How long a command's first sentence may be, in characters, to stand in a list whole: click cuts it to a line."""


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
        command = typer.main.get_command(import_module(f"kairos.apps.commands.{COMMANDS[cmd_name].module}").app)
        command.name = cmd_name
        command.params = [p for p in command.params if p.name not in ("install_completion", "show_completion")]
        own = list(command.commands.values()) if isinstance(command, TyperGroup) else []
        for one in own:
            one.short_help = one.get_short_help_str(limit=_SENTENCE)
        for one in (command, *own):
            prepare(one)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        width = max(map(len, COMMANDS))
        for folder, heading in HEADINGS.items():
            with formatter.section(heading):
                of_it = [(name, c.summary) for name, c in COMMANDS.items() if c.module.startswith(f"{folder}.")]
                formatter.write_dl([(name.ljust(width), summary) for name, summary in of_it])


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


def _tell_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"kairos {__version__}\n")
        raise typer.Exit


@app.callback()
def kairos(
    version_: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
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
