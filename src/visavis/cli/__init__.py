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

SUMMARIES: Final = {
    "serve": "Run everything: the API, the pages, the media worker, the recorder and the archive.",
    "archive": "Run the recording server alone: uploads (tus 1.0) and the library.",
    "init": "Set up a database: site 1, its administrator and an OAuth client.",
    "config": (
        "Show or change a site's configuration; running servers apply a change within a second."
    ),
    "recordings": "List, retry, export and check recordings.",
    "audit": "List, verify or export the audit log; the list begins with the newest entry.",
    "site": "Sites: each has its own visitors, agents and settings.",
    "agent": "Agents: the people and programs that work for a site.",
    "role": "Roles: named sets of permissions for several agents.",
    "client": "OAuth 2 clients: programs that may request tokens.",
    "api-key": "API keys, for HTTP Basic with an agent's e-mail address.",
    "token": "Bearer tokens for the REST API.",
    "nodes": "List the nodes that share the database, and whether they are running.",
}
"""The first sentence of each command's help, in the order of `--help`, which imports no command."""
HIDDEN: Final = ("part",)
_MODULES: Final = {
    "init": "serve",
    "site": "accounts",
    "agent": "accounts",
    "role": "accounts",
    "client": "credentials",
    "api-key": "credentials",
    "token": "credentials",
}
"""The modules of the commands that have none of their own name."""
UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG})


class Commands(click.Group):
    """Imports a command when it is asked for, not all of them for each."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*SUMMARIES, *HIDDEN]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        module = import_module(f"visavis.cli.{_MODULES.get(name, name)}")
        found: Any = getattr(module, name.replace("-", "_"))
        return found if isinstance(found, click.Command) else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        width = formatter.width - 6 - max(map(len, SUMMARIES))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=summary).get_short_help_str(width))
                    for name, summary in SUMMARIES.items()
                ]
            )

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
