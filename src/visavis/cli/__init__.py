"""The commands."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Any, Final

import click

from visavis import __version__
from visavis.log_stream import open_standard_descriptors
from visavis.private_files import private_new_files

MODULES: Final = {
    "serve": "serve",
    "archive": "archive",
    "init": "serve",
    "config": "config",
    "recordings": "recordings",
    "audit": "audit",
    "site": "accounts",
    "agent": "accounts",
    "role": "accounts",
    "client": "credentials",
    "api-key": "credentials",
    "token": "credentials",
    "nodes": "nodes",
    "part": "part",
}
"""The module of each command, in the order of `--help`."""
UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG})


class Commands(click.Group):
    """Imports a command when it is asked for, not all of them for each."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(MODULES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in MODULES:
            return None
        found: Any = getattr(import_module(f"visavis.cli.{MODULES[name]}"), name.replace("-", "_"))
        return found if isinstance(found, click.Command) else None

    def invoke(self, context: click.Context) -> Any:
        open_standard_descriptors()
        try:
            with private_new_files():
                return super().invoke(context)
        except OSError as error:
            # click deals with a pipe that nobody reads; commands name the files that they write
            if error.filename is not None or error.errno not in UNWRITABLE:
                raise
            sys.stdout = None  # Python would flush it once more
            click.echo(f"visavis: Standard output cannot be written: {error.strerror}.", err=True)
            context.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Visavis: self-hosted audio and video chat for live chat."""
