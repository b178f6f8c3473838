"""`visavis serve` and `visavis init`."""

from __future__ import annotations

import asyncio
import http.client
import os
import shlex
import shutil
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import structlog
from click.core import ParameterSource
from msgspec import structs

from visavis.archive.object_store import is_client_installed
from visavis.bus import addresses as bus_addresses
from visavis.cli.configuration import SETTINGS, SettingError, load_settings, with_settings
from visavis.cli.context import (
    CommandContext,
    config_option,
    data_option,
    database_option,
    fail,
    json_option,
    make_directory,
    opened,
    protect_files,
    settings_of,
    show_one,
)
from visavis.cli.logs import log_to_stderr
from visavis.clock_and_ids import ensure_node_id
from visavis.domain.errors import VisavisError
from visavis.durable import lock_directory
from visavis.lifecycle import Secrets
from visavis.listener import listen
from visavis.local_socket import require_private_directory
from visavis.log_stream import protect_standard_streams
from visavis.media.native.library import is_chosen
from visavis.media.sockets import MediaSockets
from visavis.protocol.command_line import FirstCredentials
from visavis.run_directory import RunDirectory, remove_abandoned
from visavis.services.people import FIRST_EMAIL, FirstAccount
from visavis.settings import Settings
from visavis.store.addresses import POSTGRESQL, has_password, masked
from visavis.supervisor import CannotStartError, supervise

log = structlog.get_logger(__name__)

MAX_SOCKET_PATH_BYTES: Final = 100
"""A Unix socket's path has room for 104 to 108 bytes, depending on the system."""
READY_SECONDS: Final = 15.0
"""Time for the app to become ready before the operator is told why it is not."""
ANSWER_SECONDS: Final = 5.0
SECRETS: Final = frozenset({"turn_secret", "metrics_token"})
HIDDEN: Final = SECRETS | {"storage_secret_key"}
CTRL_C: Final = "Ctrl-C stops the server."
MAX_REASON_BYTES: Final = 1000
MAX_PORT: Final = 65_535


@click.command()
@config_option
@with_settings()
@click.pass_context
def serve(context: click.Context, /, config_file: Path | None, **options: Any) -> None:
    """Run everything: the API, the pages, the media worker, the recorder and the archive.

    With --roles, run a part of it as a node of a cluster. An option wins over its environment
    variable, which wins over the TOML file.
    """
    with _run_directory() as directory:
        settings = _settings(config_file, options, directory.path)
        _warn_of_visible_secrets(context)
        protect_standard_streams("stderr")
        log_to_stderr(settings.log_level, settings.log_format)
        make_directory(settings.data_dir)
        lock = _lock(settings.data_dir)
        try:
            _serve(settings, directory, partial(read_secrets, config_file, options))
        except CannotStartError as error:
            fail(f"The part {error} cannot start: see the reason above.")
        finally:
            os.close(lock)


def _serve(
    settings: Settings, directory: RunDirectory, reread: Callable[[], Secrets | None]
) -> None:
    if settings.has_app:
        require_free_port(settings)
    if settings.has_media:
        _require_packet_path(settings)
        _require_free_media_ports(settings)
    protect_files(settings.data_dir)
    ensure_node_id(settings.node_file)  # before several processes need it
    if settings.has_app:
        _serve_app(settings, directory, reread)
    else:
        _serve_media(settings, directory, reread)


def _serve_media(
    settings: Settings, directory: RunDirectory, reread: Callable[[], Secrets | None]
) -> None:
    """Run a media node, whose only HTTP port is that of its metrics."""
    _require_free_metrics_port(settings)
    opened(settings.database_address).close()  # a database that cannot be used ends the program
    protect_standard_streams("stdout")

    async def is_ready() -> bool:
        return True

    asyncio.run(
        supervise(
            settings,
            directory,
            is_ready=is_ready,
            announce=lambda: _announce_media(settings),
            reread=reread,
        )
    )


def _announce_media(settings: Settings) -> None:
    metrics = f", metrics at {settings.metrics_address}" if settings.metrics_address else ""
    lines = [f"This media node is running: media on {_media_ports(settings)}{metrics}.", CTRL_C]
    click.echo("\n".join(["", *lines, ""]))


def _serve_app(
    settings: Settings, directory: RunDirectory, reread: Callable[[], Secrets | None]
) -> None:
    account = create_first_site(settings.database_address, "Site 1", FIRST_EMAIL, None)
    if account:
        print_credentials(account)
    # only now: the password is written directly, and a queue could lose it
    protect_standard_streams("stdout")
    steps = _first_steps(settings, account)
    health = Health(settings.app_socket)
    asyncio.run(
        supervise(
            settings,
            directory,
            is_ready=lambda: asyncio.to_thread(health.is_settled),
            announce=lambda: _announce(settings, steps, health.reason),
            reread=reread,
        )
    )


@click.command()
@config_option
@data_option
@database_option
@click.option("--site-name", default="Site 1", show_default=True)
@click.option(
    "--email", default=FIRST_EMAIL, show_default=True, help="E-mail address of the administrator."
)
@click.option(
    "--password",
    envvar="VISAVIS_PASSWORD",
    help="Password of the administrator; generated if not given. Other users can see "
    "command-line options: use the variable.",
)
@json_option
@click.pass_context
def init(
    context: click.Context,
    /,
    config_file: Path | None,
    data_dir: Path | None,
    database: str | None,
    site_name: str,
    email: str,
    password: str | None,
    *,
    as_json: bool,
) -> None:
    """Set up a database: site 1, its administrator and an OAuth client."""
    log_to_stderr("warning")
    if context.get_parameter_source("password") is ParameterSource.COMMANDLINE:
        _warn_of_visible_secret("--password", "VISAVIS_PASSWORD")
    settings = settings_of(config_file, {"data_dir": data_dir, "database": database})
    make_directory(settings.data_dir)
    account = create_first_site(settings.database_address, site_name, email, password)
    if account is None:
        fail("This is already set up. To change something, see visavis agent --help.")
    output = FirstCredentials(account.email, account.password, account.client_id)
    show_one(output, _credentials(account), as_json=as_json)


@contextmanager
def _run_directory() -> Iterator[RunDirectory]:
    # until the event loop handles it: by itself it ends the process without removing anything
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        directory = RunDirectory()
    except OSError as error:
        fail(f"There is no usable directory for temporary files ({error.strerror}): set TMPDIR.")
    try:
        longest = Settings(run_dir=directory.path).media_socket(255)
        if len(os.fsencode(longest)) > MAX_SOCKET_PATH_BYTES:
            fail(
                "The path of the temporary directory is too long for sockets: "
                f"{directory.path}. Set TMPDIR."
            )
        remove_abandoned(directory.path.parent)
        yield directory
    finally:
        directory.remove()
        signal.signal(signal.SIGTERM, before)


def _settings(config_file: Path | None, options: dict[str, Any], run_dir: Path) -> Settings:
    settings = settings_of(config_file, options)
    require_tls_files(settings)
    require_storage_client(settings)
    require_cluster(settings)
    workers = settings.media_workers or os.cpu_count() or 1
    return structs.replace(
        settings,
        port=settings.port or free_port(settings.host),
        media_port=settings.media_port or _free_ports(workers),
        media_workers=workers,
        data_dir=settings.data_dir.absolute(),
        run_dir=run_dir,
    )


def read_secrets(config_file: Path | None, options: Mapping[str, Any]) -> Secrets | None:
    """Read the secrets of the settings again; log why and return `None` if that cannot be done."""
    try:
        given = load_settings(options, os.environ, config_file)
    except SettingError as error:
        log.error("settings cannot be read, the old secrets stay in use", reason=str(error))  # noqa: TRY400
        return None
    return Secrets(given.get("turn_secret", ""), given.get("metrics_token", ""))


def require_storage_client(settings: Settings) -> None:
    """End the program if the client of the configured object store is not installed."""
    if settings.storage and not is_client_installed():
        fail("--storage needs the client of object stores: pip install 'visavis[s3]'.")


def require_cluster(settings: Settings) -> None:
    """End the program if a node without all roles lacks what connects it to others."""
    is_complete = settings.has_app and settings.has_media
    if not is_complete and not (settings.bus and settings.database):
        fail(f"--roles {settings.roles} needs --bus and --database, which the nodes share.")
    if settings.is_media_node and not settings.recorder_address:
        fail(
            f"--roles {settings.roles} needs --recorder-address, where recorders of other nodes "
            "fetch the packets of calls that were on several nodes."
        )

    if settings.app_workers > 1:
        _require_shared(settings)
    if settings.metrics_address and not settings.is_media_node:
        fail(
            "--metrics-address is for media nodes (--roles media,recorder): a node with an app has "
            "/metrics at its HTTP port."
        )


def _require_shared(settings: Settings) -> None:
    """End the program if several app processes could not share the sites and the recordings."""
    option = f"--app-workers {settings.app_workers}"
    if not settings.has_app:
        fail(f"{option} is for nodes with an app, not for --roles {settings.roles}.")
    if not (settings.bus and settings.database.startswith(POSTGRESQL)):
        fail(
            f"{option} needs --database with PostgreSQL and --bus with NATS, by which the app "
            "processes share the calls of each site."
        )
    if settings.archive and not settings.storage:
        fail(
            f"{option} needs --storage, an object store that all app processes can use as the "
            "recording server, or --no-archive and another recording server, such as visavis "
            "archive."
        )


def _warn_of_visible_secrets(context: click.Context) -> None:
    for setting in SETTINGS:
        value = context.params.get(setting.name)
        is_secret = (
            setting.name in HIDDEN
            or (setting.name == "database" and has_password(value or ""))
            or (setting.name == "bus" and bus_addresses.has_secret(value or ""))
        )
        if value and is_secret:
            _warn_of_visible_secret(setting.option, setting.variable)


def _warn_of_visible_secret(option: str, variable: str) -> None:
    click.echo(
        f"visavis: Other users of this machine can see {option} in the list of processes. "
        f"Use {variable} or a TOML file.",
        err=True,
    )


def _lock(data_dir: Path) -> int:
    """Lock the data directory against a second server; return the descriptor of the lock."""
    try:
        return lock_directory(
            data_dir,
            f"Another visavis serve uses {data_dir}: stop it, or choose another with --data.",
        )
    except OSError as error:
        fail(error.strerror or str(error))


def require_tls_files(settings: Settings) -> None:
    """Exit with a message unless both files of HTTPS are given and usable, or neither."""
    if bool(settings.tls_cert) != bool(settings.tls_key):
        fail("HTTPS needs both --tls-cert and --tls-key.")
    if settings.tls_cert:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
        except (OSError, ssl.SSLError) as error:
            fail(f"--tls-cert and --tls-key cannot be used: {error}.")


def require_free_port(settings: Settings) -> None:
    """Exit with a message if the public port is taken, before anything is created."""
    try:
        listen(settings.host, settings.port).close()
    except OSError as error:
        fail(f"{error.strerror or error}.")


def _require_free_metrics_port(settings: Settings) -> None:
    if not settings.metrics_address:
        return
    try:
        listen(*settings.metrics_host_and_port).close()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        fail(
            f"The address {settings.metrics_address} cannot be opened ({reason}): choose another "
            "with --metrics-address."
        )


def _require_packet_path(settings: Settings) -> None:
    if settings.media_packet_path != "native":
        return
    try:
        is_chosen(settings.media_packet_path)
    except ImportError as error:
        fail(
            f"{error} Install a C compiler and install Visavis again, or set --media-packet-path "
            "to auto."
        )


def _require_free_media_ports(settings: Settings) -> None:
    first = settings.media_port
    for port in range(first, first + settings.media_workers):
        if not _is_free(port, settings.media_address):
            fail(
                f"Media port {port} (UDP and TCP) is already in use: choose another with "
                "--media-port."
            )


def create_first_site(
    address: str, site_name: str, email: str, password: str | None
) -> FirstAccount | None:
    """Create site 1 and its administrator unless there is a site; end the program on an error."""
    store = opened(address)
    try:
        people = CommandContext(store).people
        return asyncio.run(
            people.create_first_site(site_name=site_name, email=email, password=password)
        )
    except VisavisError as error:
        fail(error.message)
    finally:
        store.close()


def _first_steps(settings: Settings, account: FirstAccount | None) -> list[str]:
    """Return the next steps for the present state: sign in, switch calls on, place one."""
    store = opened(settings.database_address)
    try:
        config, agents = asyncio.run(
            store.read(lambda rows: (rows.settings.get(1).config, rows.agents.list_by_site(1)))
        )
        pending = asyncio.run(CommandContext(store).people.first_sign_in_pending())
    except VisavisError as error:
        fail(error.message)
    finally:
        store.close()
    url = settings.base_url
    first = (a.email for a in agents if a.is_administrator and not a.is_disabled)
    email = account.email if account else next(first, "")
    password = f", password {account.password}" if account else ""
    steps = [
        f"Sign in at {url}/console{f' as {email}' if email else ''}{password}",
        *([] if config.is_enabled else [f"Switch calls on at {url}/admin"]),
        f"Leave the console open. Open {url}/demo in another window and press Video call.",
    ]
    numbered = [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    return [*numbered, "", f"Recorded calls are at {url}/library", *_later(settings, pending)]


def first_sign_in_hint(settings: Settings, pending: str | None) -> list[str]:
    """Return how to replace the password of an administrator whose first sign-in is pending."""
    if not pending:
        return []
    again = f"{program()} agent password {shlex.quote(pending)} {location_options(settings)}"
    return [f"Nobody has signed in yet. If the password is lost, set a new one: {again}"]


def _later(settings: Settings, pending: str | None) -> list[str]:
    """Return hints: a new password, and settings that prevent calls."""
    lines = first_sign_in_hint(settings, pending)
    address = urlsplit(settings.base_url)
    if address.scheme == "http" and not _is_this_machine(address.hostname or ""):
        lines.append("Browsers allow the camera only over https or on localhost: see --public-url.")
    return lines


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def program() -> str:
    """Return this program as the same shell can run it again."""
    path = sys.argv[0]
    if (found := shutil.which("visavis")) and os.path.realpath(found) == os.path.realpath(path):
        return "visavis"
    relative = os.path.relpath(path)
    return shlex.quote(path if relative.startswith(os.pardir) else relative)


def _announce(settings: Settings, steps: list[str], reason: str) -> None:
    lines = [
        "",
        f"Visavis is running at {settings.base_url} ({_media_place(settings)}).",
        *([f"Calls cannot be placed yet: {reason}."] if reason else []),
        "",
        *steps,
        CTRL_C,
        "",
    ]
    click.echo("\n".join(lines))


def _media_place(settings: Settings) -> str:
    return f"media on {_media_ports(settings)}" if settings.has_media else "media on media nodes"


def _media_ports(settings: Settings) -> str:
    first, last = settings.media_port, settings.media_port + settings.media_workers - 1
    return f"UDP and TCP port {first}" if first == last else f"UDP and TCP ports {first} to {last}"


def location_options(settings: Settings) -> str:
    """Return the options by which another command finds the same database, without a password."""
    if settings.database:
        return f"--database {shlex.quote(masked(settings.database))}"
    return f"--data {shlex.quote(str(settings.data_dir))}"


def print_credentials(account: FirstAccount) -> None:
    """Print the first administrator's password at once: nothing that fails later can lose it."""
    try:
        click.echo(f"\n{_credentials(account)}\n")
    except OSError as error:  # nobody reads it: no reason not to run
        log.error("the first password could not be printed", reason=str(error))  # noqa: TRY400


def _credentials(account: FirstAccount) -> str:
    return (
        "Administrator (the password is not shown again):\n"
        f"  e-mail    {account.email}\n"
        f"  password  {account.password}\n"
        f"OAuth client for programs on your own machine:\n"
        f"  client_id {account.client_id}"
    )


class Health:
    """Readiness of the app, read over its Unix socket.

    Neither a proxy of the environment nor another program on our port can answer for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answering_since: float | None = None
        self.reason = ""
        """Reasons of the last answer why no call could be placed."""

    def is_settled(self) -> bool:
        """Whether the app is ready, or has answered for a while that it is not."""
        try:
            status, self.reason = self._ask()
        except (OSError, http.client.HTTPException):
            return False
        if self._answering_since is None:
            self._answering_since = time.monotonic()
        is_ready = status == http.client.OK
        if is_ready:
            self.reason = ""
        return is_ready or time.monotonic() - self._answering_since > READY_SECONDS

    def _ask(self) -> tuple[int, str]:
        connection = _UnixConnection(self._path)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return response.status, response.read(MAX_REASON_BYTES).decode(
                "utf-8", "replace"
            ).strip()
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        require_private_directory(self._path.parent)
        self.sock.connect(os.fspath(self._path))


def free_port(host: str = "127.0.0.1") -> int:
    """Return a free TCP port of a host; exit with a message if there is none."""
    try:
        with listen(host, 0) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        fail(f"{error.strerror or error}.")


def _free_ports(count: int) -> int:
    """The first of so many ports in a row that are free, for UDP and for TCP."""
    while True:
        first = free_port("")
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int, host: str = "") -> bool:
    """Whether the port is free for a media worker."""
    if port > MAX_PORT:
        return False
    try:
        MediaSockets(port, host).close()
    except OSError:
        return False
    return True
