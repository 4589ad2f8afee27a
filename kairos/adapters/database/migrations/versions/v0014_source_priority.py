"""Which source gives way first when all is slow."""

import sqlalchemy as sql

from kairos.adapters.database.migrations.steps import add_column

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    add_column("sources", sql.Column("priority", sql.Integer))
