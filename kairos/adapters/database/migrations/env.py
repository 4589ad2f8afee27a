"""Run by alembic: the scripts, over the connection that `migrate` hands in."""

from alembic import context

from kairos.adapters.database.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
