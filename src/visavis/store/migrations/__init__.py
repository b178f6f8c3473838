"""The schema's steps, shipped with the package and taken when a store is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from visavis.domain.errors import UnusableDatabaseError

HERE: Final = Path(__file__).parent
NEWEST: Final = max(step.name for step in (HERE / "versions").glob("[0-9]*.py")).split("_")[0]


def migrate(connection: Connection, before: Callable[[Connection], None] = lambda _: None) -> None:
    """Take every step that this database has not taken yet, after `before`, in one transaction.

    Raise `UnusableDatabaseError` if it has taken one that this version does not know.
    """
    with connection.begin():
        before(connection)
        step = _step_of(connection)
        if step is not None and step > NEWEST:  # four digits each: they sort as they follow
            raise UnusableDatabaseError(
                f"its schema ({step}) is of a newer version of Visavis than this one ({NEWEST}): "
                "run that version, or restore the backup from before the upgrade"
            )
        if step != NEWEST:
            _upgrade(connection)


def _step_of(connection: Connection) -> str | None:
    """The last step that this database has taken."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    # every process and command opens a store, which rarely needs a migration:
    # Alembic costs a tenth of a second to import
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
