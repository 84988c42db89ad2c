"""Run migrations on the connection that ``oracle.database.history`` hands over."""

from alembic import context

from oracle.inbox.tables import METADATA
from oracle.member import memory, signatures
from oracle.member.store import Tables

MODULES = (memory.__name__, signatures.__name__)
"""Further modules whose tables belong to the schema."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[METADATA, Tables.metadata],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
