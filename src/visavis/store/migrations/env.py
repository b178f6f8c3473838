"""Alembic's entry: always online, on the connection that `migrate` was given."""

from alembic import context

from visavis.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
