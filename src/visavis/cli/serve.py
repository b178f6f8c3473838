"""`visavis serve` and `visavis init`."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shlex
import socket
import ssl
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import click
import structlog
import uvloop

from visavis import app
from visavis.cli.configuration import SettingError, load_settings, with_settings
from visavis.cli.logs import log_to_stderr
from visavis.cli.office import Office, data_option, database_option, fail, opened
from visavis.domain.errors import VisavisError
from visavis.services.people import FIRST_EMAIL, FirstAccount
from visavis.settings import Settings, decode_settings
from visavis.supervisor import CANNOT_START, CannotStartError, run_part, supervise


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with settings.  [VISAVIS_CONFIG]",
)
@with_settings()
def serve(config_file: Path | None, **options: Any) -> None:
    """Run everything: the API, the pages, the media worker, the recorder and the archive.

    An option wins over its environment variable, which wins over the TOML file.
    """
    with tempfile.TemporaryDirectory(prefix="visavis-") as run_dir:
        settings = _settings(config_file, options, Path(run_dir))
        log_to_stderr(settings.log_level)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        account = found(settings.database_address, "Site 1", FIRST_EMAIL, None)
        try:
            asyncio.run(
                supervise(
                    settings,
                    is_ready=lambda: asyncio.to_thread(_is_ready, settings),
                    announce=lambda: _announce(settings, account),
                )
            )
        except CannotStartError as error:
            fail(f"The part {error} cannot start; the reason stands above.")


@click.command()
@data_option
@database_option
@click.option("--site-name", default="Site 1", show_default=True)
@click.option("--email", default=FIRST_EMAIL, show_default=True, help="The administrator's.")
@click.option(
    "--password",
    envvar="VISAVIS_PASSWORD",
    help="The administrator's; made up if not given. Others see options: use the variable.",
)
def init(data_dir: Path, database: str, site_name: str, email: str, password: str | None) -> None:
    """Set up a database: site 1, its administrator and an OAuth client."""
    log_to_stderr("warning")
    address = Settings(data_dir=data_dir, database=database).database_address
    account = found(address, site_name, email, password)
    if account is None:
        fail("This is set up already. To change something, see visavis agent --help.")
    click.echo(credentials(account))


@click.command(hidden=True)
@click.argument("name")
def part(name: str) -> None:
    """One part of `visavis serve`, which starts it."""
    settings = decode_settings(sys.stdin.buffer.readline())
    log_to_stderr(settings.log_level)
    structlog.contextvars.bind_contextvars(part=name)
    # it halves what a socket's message costs the app, and saves the media workers nothing
    run = uvloop.run if name == "app" else asyncio.run
    try:
        run(run_part(lambda stop: app.run_of(name)(settings, stop)))
    except OSError as error:
        click.echo(f"visavis: {error.strerror or error}", err=True)
        sys.exit(CANNOT_START)


def _settings(config_file: Path | None, options: dict[str, Any], run_dir: Path) -> Settings:
    try:
        given = load_settings(options, os.environ, config_file)
    except SettingError as error:
        fail(str(error))
    settings = Settings(**given, run_dir=run_dir)
    demand_tls(settings)
    _demand_addresses(settings)
    port = settings.port or free_port()
    workers = settings.media_workers or os.cpu_count() or 1
    changed = {
        "port": port,
        "media_port": settings.media_port or _free_ports(workers),
        "media_workers": workers,
        "data_dir": settings.data_dir.absolute(),
        "run_dir": run_dir,
    }
    return Settings(**{**given, **changed})


def _demand_addresses(settings: Settings) -> None:
    """Browsers get the advertised addresses as they are, and look no names up."""
    for text in settings.advertise_addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            fail(f"--advertise-address takes an IPv4 or IPv6 address, not a name: {text}.")
        if address.is_unspecified or address.is_multicast or address.is_link_local:
            fail(f"--advertise-address: no browser can send to {text}.")


def demand_tls(settings: Settings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        fail("HTTPS needs both, --tls-cert and --tls-key.")
    if settings.tls_cert:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
        except (OSError, ssl.SSLError) as error:
            fail(f"--tls-cert and --tls-key cannot be used: {error}.")


def found(address: str, site_name: str, email: str, password: str | None) -> FirstAccount | None:
    store = opened(address)
    try:
        people = Office(store).people
        return asyncio.run(people.found(site_name=site_name, email=email, password=password))
    except VisavisError as error:
        fail(error.message)
    finally:
        store.close()


def _announce(settings: Settings, account: FirstAccount | None) -> None:
    url, email = settings.base_url, account.email if account else FIRST_EMAIL
    lines = [
        "",
        f"Visavis is running at {url} (media on {_media_ports(settings)}).",
        "",
        *([credentials(account), ""] if account else []),
        "Place a call:",
        f"  1. Sign in at {url}/console and leave the page open.",
        "  2. Switch calls on, and record them:",
        f"     TOKEN=$({sys.argv[0]} token issue {where(settings)} --email {email})",
        f"     curl -X PUT {url}/v4/livechat/audioVideoChatConfig \\",
        '       -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\',
        '       -d \'{"isEnabled":true,"isAutomaticallyRecordingAudioVideoChatsEnabled":true,'
        f'"recordingServerUrl":"{settings.archive_url}"}}\'',
        f"  3. Open {url}/demo in another window and press Video call.",
        f"  4. Find the recording at {url}/library.",
        "",
        f"The same switch as a page: {url}/admin",
        "",
        "Ctrl-C stops everything in good order.",
        "",
    ]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _media_ports(settings: Settings) -> str:
    first, last = settings.media_port, settings.media_port + settings.media_workers - 1
    return f"UDP and TCP port {first}" if first == last else f"UDP and TCP ports {first} to {last}"


def where(settings: Settings) -> str:
    """The options by which another command finds the same database."""
    if settings.database:
        return f"--database {shlex.quote(settings.database)}"
    return f"--data {shlex.quote(str(settings.data_dir))}"


def credentials(account: FirstAccount) -> str:
    return (
        "Administrator, shown this once:\n"
        f"  e-mail    {account.email}\n"
        f"  password  {account.password}\n"
        f"OAuth client for programs on your own machine:\n"
        f"  client_id {account.client_id}"
    )


def _is_ready(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if settings.tls_cert else "http"
    # it is ourselves that we ask, whatever name the certificate has
    anybody = ssl._create_unverified_context() if settings.tls_cert else None  # noqa: S323
    try:
        address = f"{scheme}://{host}:{settings.port}/readyz"
        with urllib.request.urlopen(address, timeout=1, context=anybody):  # noqa: S310
            return True
    except (URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _free_ports(count: int) -> int:
    """The first of so many ports in a row that are free, for UDP and for TCP."""
    while True:
        first = free_port()
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("0.0.0.0", port))  # noqa: S104  as the media worker will
            except (OSError, OverflowError):
                return False
    return True
