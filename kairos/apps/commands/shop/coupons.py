"""`kairos coupons`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.rules.store import last_good, open_rule_store
from kairos.adapters.settings.delivery import Conf, load
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.engine.coupon.spec import Coupon
from kairos.usecases.shop import coupons as usecase

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

ConfFile = Annotated[Path, typer.Option(help="The configuration: where rules and codes are.")]
LOCAL = Path("conf/local.yaml")


@app.callback()
def coupons() -> None:
    """Pools of codes, of which each message takes one of its own.

    \b
    Examples:
      kairos coupons load spring codes.txt
      kairos coupons show
    """


@app.command("load")
def load_codes(
    pool: Annotated[str, typer.Argument(help="The pool, of `codes: redis`.")],
    file: Annotated[Path, typer.Argument(help="Its codes, one a line.")],
    conf: ConfFile = LOCAL,
) -> None:
    """Put codes into a pool. Those that were ever in it are left out, so a file may be loaded again, longer.

    \b
    Example:
      kairos coupons load spring codes.txt
    """
    with told():
        settings = load(conf)
        log = settings.rules.store
        pools, actor = _pools(settings), acting(log)
        done = usecase.load_codes(file, pool, pools, settings.codes, actor=actor, now=now(), log=log)
    sys.stdout.write(f"{pool}: {done.new:,} of {done.read:,} codes are new, {done.counts.free:,} are free\n")


@app.command("show")
def show(conf: ConfFile = LOCAL) -> None:
    """How many codes of each pool are free, and how many are taken.

    \b
    Example:
      kairos coupons show
    """
    with told():
        settings = load(conf)
        found = usecase.counts_of(_pools(settings), settings.codes)
    for name, counts in found.items():
        sys.stdout.write(f"{name:<20} {counts.free:>10,} free {counts.taken:>10,} taken of {counts.known:,}\n")


def _pools(settings: Conf) -> dict[str, Coupon]:
    """Of the newest release."""
    release = last_good(open_rule_store(settings.rules.store))
    return release.rules.coupons if release is not None else {}
