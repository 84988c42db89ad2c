"""Run migrations on the connection that ``node.store.database`` hands over."""

from alembic import context

from node.store import alarms, desk, facts
from node.store.schema import Base

TABLES = (alarms.__name__, desk.__name__, facts.__name__)
"""Modules whose tables belong to the schema."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
