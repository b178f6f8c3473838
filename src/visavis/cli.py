"""The commands."""

from __future__ import annotations

import click

from visavis import __version__


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Visavis: self-hosted audio and video chat for live chat."""
