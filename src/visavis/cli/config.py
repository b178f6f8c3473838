"""`visavis config`: the configuration from the command line, audited like any other change."""

from __future__ import annotations

import sys

import click

from visavis.cli.context import CommandContext, show_one, site_option, with_context
from visavis.domain.config import Config, ConfigUpdate
from visavis.domain.people import operator
from visavis.protocol.configuration import configuration_of, read_new_secret, read_url
from visavis.services.site_settings import SiteSettingsService


@click.group()
def config() -> None:
    """Show or change a site's configuration; running servers apply a change within a second."""


@config.command("get")
@site_option
@with_context
async def get(context: CommandContext, site: int | None) -> None:
    """Print the configuration as the REST API returns it."""
    settings = (await context.with_archive()).site_settings
    _print(settings, (await settings.get(await context.site(site))).config)


@config.command("set")
@site_option
@click.option("--enable/--disable", "is_enabled", default=None, help="Audio & Video Chat.")
@click.option("--record/--no-record", "is_recording", default=None, help="Record every call.")
@click.option("--recording-server-url", "url", help="URL of the recording server.")
@click.option(
    "--secret-stdin",
    is_flag=True,
    help="Read the new recording server's secret from standard input; an empty line for none.",
)
@with_context
async def set_(
    context: CommandContext,
    site: int | None,
    is_enabled: bool | None,
    is_recording: bool | None,
    url: str | None,
    secret_stdin: bool,
) -> None:
    """Change the given values and leave the others."""
    checked = None if url is None else read_url(url)
    secret = read_new_secret(sys.stdin.readline().rstrip("\r\n")) if secret_stdin else None
    await _change(context, site, ConfigUpdate(is_enabled, is_recording, checked, secret))


@config.command("enable")
@site_option
@with_context
async def enable(context: CommandContext, site: int | None) -> None:
    """Switch Audio & Video Chat on."""
    await _change(context, site, ConfigUpdate(is_enabled=True))


@config.command("disable")
@site_option
@with_context
async def disable(context: CommandContext, site: int | None) -> None:
    """Switch Audio & Video Chat off."""
    await _change(context, site, ConfigUpdate(is_enabled=False))


async def _change(context: CommandContext, site: int | None, change: ConfigUpdate) -> None:
    settings = (await context.with_archive()).site_settings
    who = operator(await context.site(site))
    _print(settings, await settings.change_config(who, change, lambda _: True))


def _print(settings: SiteSettingsService, result: Config) -> None:
    show_one(configuration_of(result, settings.url(result)), "", as_json=True)
