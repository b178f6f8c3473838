"""Shared parts of the administrative commands: store, services and output."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from visavis.cli.configuration import SettingError, load_settings
from visavis.cli.logs import log_to_stderr
from visavis.compose import Services
from visavis.domain.errors import ErrorKind, UnusableDatabaseError, VisavisError
from visavis.private_files import make_private, restrict_new_files
from visavis.protocol.wire import encode
from visavis.settings import Settings
from visavis.store import POSTGRESQL, open_store
from visavis.store.addresses import masked
from visavis.store.sql import SqlStore

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with settings.  [VISAVIS_CONFIG]",
)
data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    help="Directory of the database, the keys and the recordings.  [VISAVIS_DATA_DIR; data]",
)
database_option = click.option(
    "--database",
    help="Database URL (postgresql://…), if the server uses PostgreSQL.  [VISAVIS_DATABASE]",
)
site_option = click.option(
    "--site", type=int, help="Number of the site; not needed if there is only one."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class CommandContext(Services):
    """The services over one store, without a server."""

    def __init__(self, store: SqlStore, data_dir: Path = Path("data")) -> None:
        super().__init__(store)
        self.settings = Settings(data_dir=data_dir)

    async def with_archive(self) -> Services:
        """Return the services with the built-in recording server of the last server's start."""
        url = await self.store.read(lambda rows: rows.nodes.newest_archive_url())
        return Services(self.store, archive_url=url)

    async def site(self, given: int | None) -> int:
        """Return the site of the command; raises `EntityNotFound`, `ParameterMissing`."""
        known = [site.id for site in await self.accounts.sites()]
        if given is None and len(known) != 1:
            raise VisavisError(ErrorKind.ParameterMissing, "Choose a site with --site.")
        if given is not None and given not in known:
            raise VisavisError(ErrorKind.EntityNotFound, f"There is no site {given}.")
        return known[0] if given is None else given


def with_context(work: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make a command of a coroutine; it works whether the server runs or not."""

    @config_option
    @data_option
    @database_option
    @functools.wraps(work)
    def command(
        config_file: Path | None, data_dir: Path | None, database: str | None, **options: Any
    ) -> None:
        log_to_stderr("warning")
        settings = settings_of(config_file, {"data_dir": data_dir, "database": database})
        address = settings.database_address
        if not address.startswith(POSTGRESQL) and not Path(address).exists():
            fail(f"{settings.data_dir} is not set up: run visavis init or visavis serve first.")
        try:
            asyncio.run(_perform(address, settings.data_dir, work, options))
        except VisavisError as error:
            fail(error.message)

    return command


def settings_of(config_file: Path | None, options: Mapping[str, Any]) -> Settings:
    """Return the settings of a command; exit with a message if one is invalid."""
    try:
        given = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in options.items()
        }
        return Settings(**load_settings(given, os.environ, config_file))
    except SettingError as error:
        fail(str(error))


def make_directory(path: Path) -> None:
    """Create a data directory; exit with a message if that fails."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        fail(f"--data: {path} is not a directory.")
    except OSError as error:
        fail(f"--data: {path} cannot be created: {error.strerror}.")


def protect_files(directory: Path) -> None:
    """Restrict a data directory to its user; print the corrected permissions."""
    restrict_new_files()
    corrected, refused = make_private(directory)
    if corrected:
        click.echo(
            f"visavis: Other users of this machine could read files in {directory}. This has been "
            f"corrected ({corrected}).",
            err=True,
        )
    if refused:
        more = f" and {len(refused) - 1} more in {directory}" if refused[1:] else ""
        click.echo(
            f"visavis: Other users of this machine can read {refused[0]}{more}. This user cannot "
            "change that.",
            err=True,
        )


async def _perform(
    address: str,
    data_dir: Path,
    work: Callable[..., Awaitable[None]],
    options: Mapping[str, Any],
) -> None:
    store = opened(address)
    try:
        await work(CommandContext(store, data_dir), **options)
    finally:
        store.close()


def opened(address: str) -> SqlStore:
    """Open the store at a URL; exit with a message if that fails."""
    try:
        return open_store(address)
    except UnusableDatabaseError as error:
        fail(f"The database {masked(address)} cannot be used: {error}.")
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        fail(f"The database {masked(address)} cannot be opened: {reason}")
    except OSError as error:
        fail(f"The database {masked(address)} cannot be opened: {error.strerror}.")


def show(rows: Sequence[msgspec.Struct], *, as_json: bool) -> None:
    """Print a list as an aligned table, or as JSON."""
    if as_json:
        _print_json(rows)
    else:
        show_table([msgspec.to_builtins(row) for row in rows])


def show_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print an aligned table; the keys of a row are the titles of the columns."""
    lines = [list(rows[0]), *([_cell(v) for v in row.values()] for row in rows)] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if not rows:
        click.echo("There are none.", err=True)


def show_one(body: msgspec.Struct, text: str, *, as_json: bool) -> None:
    """Print one thing as text for people, or as JSON."""
    if as_json:
        _print_json(body)
    else:
        click.echo(text)


def _print_json(output: msgspec.Struct | Sequence[msgspec.Struct]) -> None:
    click.echo(msgspec.json.format(encode(output)).decode())


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in {None, ""} else str(value)


def fail(sentence: str) -> NoReturn:
    click.echo(f"visavis: {sentence}", err=True)
    sys.exit(1)
