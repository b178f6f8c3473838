"""The schema's steps, shipped with the package and taken when a store is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migrate(connection: Connection, before: Callable[[Connection], None] = lambda _: None) -> None:
    """Take every step that this database has not taken yet, after `before`, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with connection.begin():
        before(connection)
        command.upgrade(config, "head")
