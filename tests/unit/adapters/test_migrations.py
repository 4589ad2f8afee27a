"""The scripts that make the tables, on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sql
from alembic.config import Config
from alembic.script import ScriptDirectory

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.adapters.database import migrations
from kairos.adapters.database.connection import open_engine
from kairos.adapters.database.schedule_runs import ACTIVITIES
from kairos.usecases.control.verify import verify
from tests import database_contract as contract


@pytest.mark.parametrize("check", contract.CHECKS)
def test_sqlite(check: Callable[[sql.Engine], None], tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/control.db")
    check(engine)
    engine.dispose()


def test_the_version_that_is_expected_is_that_of_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_what_is_up_to_date_needs_no_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a task manager the folder of scripts may be gone: it came with another job."""
    engine = open_engine(f"sqlite:///{tmp_path}/control.db")
    migrations.migrate(engine)
    monkeypatch.setattr(migrations, "__file__", str(tmp_path / "gone" / "__init__.py"))
    migrations.migrate(engine)
    engine.dispose()


def test_what_stop_if_has_paused_before_there_was_a_switch_stays_paused(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/control.db"
    engine = open_engine(store)
    migrations.migrate(engine)
    row = {"planned_until": 0, "meaning": "", "paused": None}
    with engine.begin() as connection:
        rows = [{**row, "activity": "a", "paused": "bounced is 9 %"}, {**row, "activity": "b"}]
        connection.execute(ACTIVITIES.insert(), rows)
        connection.execute(sql.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '0011'"))
    migrations.migrate(engine)
    engine.dispose()
    with Control(store) as control:
        (turn,) = ActivityStates(control).history()
    assert (turn.activity, turn.state, turn.by, turn.reason) == ("a", "paused", "scheduler", "bounced is 9 %")
    assert verify(store).problems == []
