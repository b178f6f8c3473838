"""The commands."""

from __future__ import annotations

from typing import Final

import click

from visavis import __version__
from visavis.cli.archive import archive
from visavis.cli.audit import audit
from visavis.cli.config import config
from visavis.cli.programs import client, key, token
from visavis.cli.recordings import recordings
from visavis.cli.serve import init, part, serve
from visavis.cli.staff import agent, role, site

COMMANDS: Final = (
    *(serve, archive, init, config, recordings, audit),
    *(site, agent, role, client, key, token, part),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Visavis: self-hosted audio and video chat for live chat."""


for command in COMMANDS:
    main.add_command(command)
