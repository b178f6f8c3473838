"""The commands."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import URLError

import click
import msgspec
import structlog

from visavis import __version__, app
from visavis.domain.errors import VisavisError
from visavis.domain.oauth import CredentialKind
from visavis.services.people import FIRST_EMAIL, People
from visavis.services.tokens import Tokens
from visavis.settings import Settings, decode_settings
from visavis.store import open_store
from visavis.store.passwords import Argon2Passwords
from visavis.supervisor import CANNOT_START, PARTS, CannotStartError, run_part, supervise

Option = Callable[[Callable[..., None]], Callable[..., None]]

data_option: Option = click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Where everything is kept.",
)

LIFETIME = re.compile(r"([1-9][0-9]{0,5})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Visavis: self-hosted audio and video chat for live chat."""


@main.command()
@data_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address for HTTP.")
@click.option("--port", default=8080, show_default=True, help="TCP port for HTTP; 0 picks one.")
@click.option("--media-port", default=8081, show_default=True, help="UDP port of the media.")
@click.option("--public-url", default="", help="Where browsers reach us, if not at host and port.")
@click.option("--advertise-address", multiple=True, help="Our media address, behind NAT.")
@click.option(
    "--allow-private-recording-servers", is_flag=True, help="Deliver to private networks too."
)
def serve(
    data_dir: Path,
    host: str,
    port: int,
    media_port: int,
    public_url: str,
    advertise_address: tuple[str, ...],
    allow_private_recording_servers: bool,
) -> None:
    """Run everything: the API, the pages, the media worker, the recorder and the archive."""
    _log_to_stderr()
    with tempfile.TemporaryDirectory(prefix="visavis-") as run_dir:
        settings = Settings(
            data_dir=data_dir.absolute(),
            host=host,
            port=port or _free_port(socket.SOCK_STREAM),
            media_port=media_port or _free_port(socket.SOCK_DGRAM),
            public_url=public_url,
            advertise_addresses=advertise_address,
            allow_private_recording_servers=allow_private_recording_servers,
            run_dir=Path(run_dir),
        )
        account = _found(data_dir, "Site 1", FIRST_EMAIL, None)
        try:
            asyncio.run(
                supervise(
                    settings,
                    is_ready=lambda: asyncio.to_thread(_is_ready, settings),
                    announce=lambda: _announce(settings, account),
                )
            )
        except CannotStartError as error:
            _fail(f"The part {error} cannot start; the reason stands above.")


@main.command()
@data_option
@click.option("--site-name", default="Site 1", show_default=True)
@click.option("--email", default=FIRST_EMAIL, show_default=True, help="The administrator's.")
@click.option("--password", help="The administrator's; made up if not given.")
def init(data_dir: Path, site_name: str, email: str, password: str | None) -> None:
    """Set up a data directory: site 1 and its administrator."""
    _log_to_stderr()
    account = _found(data_dir, site_name, email, password)
    if account is None:
        _fail(f"{data_dir} is set up already.")
    click.echo(_credentials(account))


@main.group()
def token() -> None:
    """Tokens for the REST API."""


@token.command("issue")
@data_option
@click.option("--email", required=True, help="Whose token it is to be.")
@click.option("--expires", default="12h", show_default=True, help="Such as 90s, 15m, 12h, 30d.")
def issue(data_dir: Path, email: str, expires: str) -> None:
    """Print a bearer token and nothing else; the server may run or not."""
    _log_to_stderr()
    match = LIFETIME.fullmatch(expires)
    if not match:
        _fail("--expires takes a number and one of s, m, h, d: for example 12h.")
    database = Settings(data_dir=data_dir).database_address
    if not Path(database).exists():
        _fail(f"{data_dir} is not set up: run visavis init or visavis serve first.")
    lifetime = timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        click.echo(asyncio.run(_issue(database, email, lifetime)))
    except VisavisError as error:
        _fail(error.message)


@main.command(hidden=True)
@click.argument("name", type=click.Choice(PARTS))
def part(name: str) -> None:
    """One part of `visavis serve`, which starts it."""
    _log_to_stderr()
    settings = decode_settings(sys.stdin.buffer.readline())
    structlog.contextvars.bind_contextvars(part=name)
    try:
        asyncio.run(run_part(lambda stop: app.RUN[name](settings, stop)))
    except OSError as error:
        click.echo(f"visavis: {error.strerror or error}", err=True)
        sys.exit(CANNOT_START)


async def _issue(database: str, email: str, lifetime: timedelta) -> str:
    store = open_store(database)
    try:
        people = People(store, Argon2Passwords(), app.now, app.new_secret)
        tokens = Tokens(store, app.now, app.new_secret)
        return await tokens.issue(await people.by_email(email), CredentialKind.BEARER, lifetime)
    finally:
        store.close()


def _found(
    data_dir: Path, site_name: str, email: str, password: str | None
) -> tuple[str, str] | None:
    database = Settings(data_dir=data_dir).database_address
    return asyncio.run(app.found(database, site_name=site_name, email=email, password=password))


def _announce(settings: Settings, account: tuple[str, str] | None) -> None:
    url = settings.base_url
    lines = [
        "",
        f"Visavis is running at {url} (media on UDP port {settings.media_port}).",
        "",
        *([_credentials(account), ""] if account else []),
        "Place a call:",
        f"  1. Sign in at {url}/console and leave the page open.",
        "  2. Switch calls on, and record them:",
        f"     TOKEN=$({sys.argv[0]} token issue --data {settings.data_dir} --email {FIRST_EMAIL})",
        f"     curl -X PUT {url}/v4/livechat/audioVideoChatConfig \\",
        '       -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\',
        '       -d \'{"isEnabled":true,"isAutomaticallyRecordingAudioVideoChatsEnabled":true,'
        f'"recordingServerUrl":"{settings.archive_url}"}}\'',
        f"  3. Open {url}/demo in another window and press Video call.",
        f"  4. Find the recording at {url}/library.",
        "",
        "Ctrl-C stops everything in good order.",
        "",
    ]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _credentials(account: tuple[str, str]) -> str:
    email, password = account
    return f"Administrator, shown this once:\n  e-mail    {email}\n  password  {password}"


def _is_ready(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104
    address = f"http://[{host}]" if ":" in host else f"http://{host}"
    try:
        with urllib.request.urlopen(f"{address}:{settings.port}/readyz", timeout=1):  # noqa: S310
            return True
    except (URLError, OSError):
        return False


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log_to_stderr() -> None:
    """One JSON object a line, from our loggers and everybody else's."""
    level = os.environ.get("VISAVIS_LOG_LEVEL", "info").upper()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _json(value: Any, **_: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


def _fail(sentence: str) -> NoReturn:
    click.echo(f"visavis: {sentence}", err=True)
    sys.exit(1)
