"""What Alembic runs for each migration; the connection comes from `api.store.schema`."""

from alembic import context

from api.store.tables import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
