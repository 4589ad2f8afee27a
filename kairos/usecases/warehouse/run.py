"""What a run on files leaves in its folder, into a warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from kairos.adapters.delivery.ledger_reader import open_ledger_reader
from kairos.adapters.files.events import open_events
from kairos.adapters.files.run_folder import files_of, topics_in
from kairos.adapters.profiles.file import Profiles, read_profiles
from kairos.adapters.settings.file import read, substitute
from kairos.adapters.settings.warehouse import load as warehouse_settings
from kairos.engine.rule.model import RuleSet
from kairos.engine.topics import DECISIONS
from kairos.usecases.warehouse.load import Inputs, Lines, Loaded, load

RECEIPTS = "receipts.jsonl"


def keep_run(conf: Path, overrides: Sequence[str], rules: RuleSet, run: Path, ledger: Path) -> str | None:
    """A run that was made with this configuration, into its warehouse: the folder; None: it has none.

    Raises SettingsError, ProfileFileError, OSError and what `load_run` raises.
    """
    settings = warehouse_settings(conf, overrides)
    if settings is None:
        return None
    document = substitute(read(conf, overrides))
    people = document.get("profiles", {}).get("file")
    profiles = read_profiles(Path(people), lambda _problem: None) if people else None
    load_run(Path(settings.folder), rules, run, Path(document["files"]["events"]), profiles, ledger)
    return settings.folder


def load_run(
    warehouse: Path, rules: RuleSet, run: Path, events: Path, profiles: Profiles | None, ledger: Path
) -> Loaded:
    """What the run before has left is replaced, as it is in the run's folder; what was loaded otherwise stays.

    Lines that are no events were reported by the run itself. Raises WarehouseError, InputError,
    RunFolderError, LedgerReaderError and OSError.
    """
    with ExitStack() as stack:

        def lines(path: Path) -> Lines:
            return Lines(str(path), stack.enter_context(open_events(path)))

        receipts = run / RECEIPTS
        inputs = Inputs(
            events=[lines(events)],
            decisions=[lines(path) for path in files_of(topics_in(run)[DECISIONS])],
            receipts=[lines(receipts)] if receipts.exists() else [],
            profiles=profiles,
            ledger=stack.enter_context(open_ledger_reader(f"sqlite:///{ledger}")),
        )
        return load(warehouse, rules, inputs, lambda *_: None, run=True)
