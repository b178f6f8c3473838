"""All settings of a running system, frozen at start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of `visavis serve`. Each setting's description is the operator's documentation."""

    data_dir: Annotated[
        Path, Meta(description="Directory of the database, the keys and the recordings.")
    ] = Path("data")
    database: Annotated[
        str,
        Meta(
            description="Database URL such as postgresql://user@host/name, or with several hosts, "
            "host1,host2; SQLite in the data directory if not set."
        ),
    ] = ""
    database_connect_seconds: Annotated[
        int,
        Meta(
            description="Seconds for which a connection to each PostgreSQL server is tried.", ge=2
        ),
    ] = 5
    database_statement_seconds: Annotated[
        int,
        Meta(
            description="Seconds that a PostgreSQL server may take for a statement before the "
            "statement is cancelled and a server that does not answer is given up.",
            ge=1,
        ),
    ] = 10
    bus: Annotated[
        str,
        Meta(
            description="URL of the NATS servers that connect several nodes, such as "
            "nats://user@n1,n2,n3 or tls://n1,n2,n3; not needed for one node."
        ),
    ] = ""
    bus_prefix: Annotated[
        str,
        Meta(
            description="First part of every subject in NATS; clusters that share its servers need "
            "different ones.",
            pattern="^[A-Za-z0-9_-]{1,64}$",
        ),
    ] = "visavis"
    bus_credentials: Annotated[
        str, Meta(description="File with the NATS user's credentials (.creds), if there is one.")
    ] = ""
    bus_ca: Annotated[
        str,
        Meta(
            description="Certificates (PEM) that sign those of the NATS servers; the system's if "
            "not set."
        ),
    ] = ""
    roles: Annotated[
        str,
        Meta(
            description="What this node runs: app,media,recorder for all of it; app alone, or "
            "media,recorder for a media node, which both need bus and database.",
        ),
    ] = "app,media,recorder"
    region: Annotated[
        str,
        Meta(
            description="Region of this node: an app prefers media nodes of its own region.",
            pattern="^[A-Za-z0-9_-]{0,64}$",
        ),
    ] = ""
    recorder_address: Annotated[
        str,
        Meta(
            description="Address and port, such as 10.0.0.2:8453, at which the recorders of other "
            "nodes fetch the packets of calls that were on both nodes; none if not set.",
            pattern=r"^(([^\s\[\]:/]+|\[[0-9A-Fa-f:.%]+\]):[0-9]{1,5})?$",
        ),
    ] = ""
    metrics_address: Annotated[
        str,
        Meta(
            description="Address and port, such as 10.0.0.2:9180, of /metrics, /healthz and "
            "/readyz of a media node, which has no other HTTP port; none if not set.",
            pattern=r"^(([^\s\[\]:/]+|\[[0-9A-Fa-f:.%]+\]):[0-9]{1,5})?$",
        ),
    ] = ""
    host: Annotated[str, Meta(description="IP address or host name for HTTP.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(description="TCP port for HTTP; 0 picks a free port.", ge=0, le=65535)
    ] = 8080
    media_port: Annotated[
        int,
        Meta(
            description="UDP and TCP port of the first media worker; further workers use the "
            "following ports. 0 picks free ports.",
            ge=0,
            le=65535,
        ),
    ] = 8081
    media_host: Annotated[
        str,
        Meta(
            description="IP address for media; the same as host if not set (see Ports and files). "
            "0.0.0.0 or :: for all."
        ),
    ] = ""
    app_workers: Annotated[
        int,
        Meta(
            description="App processes, which share the HTTP port; more than one use more cores "
            "and need bus, database, and storage or no archive.",
            ge=1,
            le=64,
        ),
    ] = 1
    media_workers: Annotated[
        int, Meta(description="Media worker processes; 0 for one per core.", ge=0, le=256)
    ] = 0
    media_packet_path: Annotated[
        str,
        Meta(
            description="Packet path of the media workers: native (in C), python, or auto: native "
            "if it was built when Visavis was installed.",
            pattern="^(auto|native|python)$",
        ),
    ] = "auto"
    public_url: Annotated[
        str, Meta(description="URL at which browsers reach the server, if not at host and port.")
    ] = ""
    advertise_addresses: Annotated[
        tuple[str, ...],
        Meta(
            description="IP addresses at which browsers reach the media ports, if the server is "
            "behind NAT."
        ),
    ] = ()
    stun_servers: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^stuns?:[^\s?]+$")], ...],
        Meta(description="STUN servers for the browsers, such as stun:stun.example:3478."),
    ] = ()
    turn_servers: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^turns?:[^\s?]+(\?transport=(udp|tcp))?$")], ...],
        Meta(description="TURN servers for the browsers, such as turn:turn.example?transport=tcp."),
    ] = ()
    turn_secret: Annotated[
        str,
        Meta(
            description="coturn's static-auth-secret. Prefer the environment variable: other "
            "users can "
            "see command-line options."
        ),
    ] = ""
    turn_seconds: Annotated[
        int,
        Meta(
            description="Seconds for which a call's TURN credentials are valid; they are renewed "
            "during the call.",
            ge=60,
            le=86_400,
        ),
    ] = 600
    archive: Annotated[bool, Meta(description="Run the built-in recording server.")] = True
    allow_private_recording_servers: Annotated[
        bool, Meta(description="Allow recording servers in private networks.")
    ] = False
    parallel_deliveries: Annotated[
        int, Meta(description="Recordings that are uploaded at the same time.", ge=1, le=64)
    ] = 4
    parallel_muxers: Annotated[
        int,
        Meta(
            description="Recordings that are made into files at the same time; 0 for half of the "
            "cores.",
            ge=0,
            le=64,
        ),
    ] = 0
    max_leg_megabits: Annotated[
        int,
        Meta(
            description="Mbit/s that each browser may send; packets beyond that are dropped.",
            ge=1,
            le=1000,
        ),
    ] = 25
    strangers_per_second: Annotated[
        int,
        Meta(
            description="Datagrams per second and network that the media port accepts from senders "
            "outside every call; 0 for no limit.",
            ge=0,
        ),
    ] = 100
    max_recording_gigabytes: Annotated[
        int, Meta(description="Size at which a recording is stopped; 0 for no limit.", ge=0)
    ] = 50
    max_recording_hours: Annotated[
        int, Meta(description="Length at which a recording is stopped; 0 for no limit.", ge=0)
    ] = 24
    disk_reserve_megabytes: Annotated[
        int,
        Meta(
            description="Megabytes of disk space that recordings leave free; half of them are "
            "reserved "
            "for the database.",
            ge=2,
        ),
    ] = 512
    archive_site_gigabytes: Annotated[
        int,
        Meta(description="Gigabytes that the archive stores for each site; 0 for no limit.", ge=0),
    ] = 0
    archive_uploads_per_key: Annotated[
        int,
        Meta(description="Unfinished uploads for each upload key of a site; 0 for no limit.", ge=0),
    ] = 100
    storage: Annotated[
        str,
        Meta(
            description="Object store of the built-in recording server, such as "
            "s3://bucket?endpoint=https://s3.example.com; the data directory if not set."
        ),
    ] = ""
    storage_access_key: Annotated[
        str,
        Meta(
            description="Access key of the object store; if not set, AWS_ACCESS_KEY_ID, the files "
            "of AWS tools or the role of the machine."
        ),
    ] = ""
    storage_secret_key: Annotated[
        str,
        Meta(
            description="Secret key that belongs to the access key. Prefer the environment "
            "variable: other users can see command-line options."
        ),
    ] = ""
    tls_cert: Annotated[
        str, Meta(description="Certificate chain (PEM) to serve HTTPS without a proxy.")
    ] = ""
    tls_key: Annotated[str, Meta(description="Private key (PEM) of the certificate.")] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="IP addresses or networks of proxies whose X-Forwarded-* headers are "
            "trusted."
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        Meta(description="Origins whose pages may call the REST API; * for all."),
    ] = ()
    rate_limit: Annotated[
        int,
        Meta(
            description="API calls in 5 minutes per token, or per network without a token; 0 for "
            "no "
            "limit.",
            ge=0,
        ),
    ] = 300
    page_rate_limit: Annotated[
        int,
        Meta(
            description="Requests for pages, the library and sessions in 5 minutes per token, or "
            "per "
            "network without a token; 0 for no limit.",
            ge=0,
        ),
    ] = 6000
    socket_rate_limit: Annotated[
        int,
        Meta(
            description="WebSockets opened in 5 minutes per token, or per network without a "
            "token; 0 "
            "for no limit.",
            ge=0,
        ),
    ] = 1200
    calls_per_minute: Annotated[
        int,
        Meta(description="Calls that visitors place per minute and network; 0 for no limit.", ge=0),
    ] = 10
    checks_per_minute: Annotated[
        int, Meta(description="Connection checks per minute and network; 0 for no limit.", ge=0)
    ] = 20
    page_views_per_minute: Annotated[
        int,
        Meta(
            description="Page views shown to agents per minute and network; 0 for no limit.", ge=0
        ),
    ] = 120
    messages_per_minute: Annotated[
        int, Meta(description="Messages left per minute and network; 0 for no limit.", ge=0)
    ] = 10
    joins_per_minute: Annotated[
        int, Meta(description="Unknown join links per minute and network; 0 for no limit.", ge=0)
    ] = 30
    waiting_calls_per_address: Annotated[
        int, Meta(description="Waiting calls per network; 0 for no limit.", ge=0)
    ] = 5
    queue_length: Annotated[
        int, Meta(description="Waiting calls per site; 0 for no limit.", ge=0)
    ] = 200
    sockets_per_address: Annotated[
        int, Meta(description="Open WebSockets per network; 0 for no limit.", ge=0)
    ] = 100
    sockets_per_site: Annotated[
        int, Meta(description="Open WebSockets of visitors per site; 0 for no limit.", ge=0)
    ] = 10_000
    metrics_networks: Annotated[
        tuple[str, ...],
        Meta(description="IP addresses or networks that may read /metrics."),
    ] = ("127.0.0.1", "::1")
    metrics_token: Annotated[
        str,
        Meta(
            description="Bearer token that may read /metrics from anywhere; several with commas "
            "between them."
        ),
    ] = ""
    access_token_seconds: Annotated[
        int,
        Meta(description="Seconds for which an OAuth access token is valid.", ge=60, le=31_536_000),
    ] = 43_199
    refresh_reuse_seconds: Annotated[
        int,
        Meta(
            description="Seconds for which a used refresh token is accepted once more, for example "
            "after a lost response; later use revokes every token of that sign-in.",
            ge=0,
            le=300,
        ),
    ] = 30
    session_idle_minutes: Annotated[
        int,
        Meta(
            description="Minutes without use after which an agent is signed out; an open console "
            "counts as use. 0 means never.",
            ge=0,
            le=10_080,
        ),
    ] = 480
    audit_days: Annotated[
        int,
        Meta(
            description="Days for which entries of the audit log are kept; 0 keeps all of them.",
            ge=0,
            le=36_500,
        ),
    ] = 0
    log_level: Annotated[
        str,
        Meta(description="debug, info, warning or error.", pattern="^(debug|info|warning|error)$"),
    ] = "info"
    log_format: Annotated[
        str,
        Meta(
            description="json, text, or auto: text in a terminal and json everywhere else.",
            pattern="^(auto|json|text)$",
        ),
    ] = "auto"
    run_dir: Path = Path("run")

    @property
    def has_app(self) -> bool:
        return "app" in self.roles.split(",")

    @property
    def has_media(self) -> bool:
        """Whether this node has media workers, and a recorder for their recordings."""
        return "media" in self.roles.split(",")

    @property
    def is_media_node(self) -> bool:
        """Whether apps of other nodes control the media workers."""
        return self.has_media and not self.has_app

    @property
    def database_address(self) -> str:
        """Path of the SQLite file, or a URL that begins with postgresql://."""
        return self.database or str(self.data_dir / "visavis.db")

    @property
    def spool(self) -> Path:
        return self.data_dir / "spool"

    @property
    def recorder_host_and_port(self) -> tuple[str, int]:
        """Host and port of `recorder_address`."""
        return _host_and_port(self.recorder_address)

    @property
    def metrics_host_and_port(self) -> tuple[str, int]:
        """Host and port of `metrics_address`."""
        return _host_and_port(self.metrics_address)

    @property
    def archive_site_bytes(self) -> int:
        """Maximum number of bytes per site in the archive; 0 for no limit."""
        return self.archive_site_gigabytes * 1000**3

    @property
    def archive_dir(self) -> Path:
        return self.data_dir / "archive"

    def app_archive_dir(self, number: int) -> Path:
        """Return the archive's directory for the `number`-th app process (from 0).

        Further processes exist only with an object store: it has no more than copies then.
        """
        return self.archive_dir / app_part(number) if number else self.archive_dir

    @property
    def archive_key_file(self) -> Path:
        """File with the upload key that the recorder sends to the built-in archive."""
        return self.data_dir / "archive.key"

    @property
    def node_file(self) -> Path:
        """File with the name of this node among nodes with the same database."""
        return self.data_dir / "node"

    @property
    def drained_file(self) -> Path:
        """File that exists while a media node takes no new calls, for its media workers."""
        return self.data_dir / "drained"

    @property
    def app_parts(self) -> tuple[str, ...]:
        """Names of the parts that are app processes."""
        return tuple(map(app_part, range(self.app_workers))) if self.has_app else ()

    @property
    def app_socket(self) -> Path:
        """Unix socket on which the first app process serves our own processes."""
        return self.app_socket_of(0)

    def app_socket_of(self, number: int) -> Path:
        """Return the socket of the `number`-th app process (from 0)."""
        return self.run_dir / f"{app_part(number)}.sock"

    def media_socket(self, number: int) -> Path:
        """Return the socket on which the `number`-th media worker (from 0) listens for the app."""
        return self.run_dir / f"media-{number}.sock"

    @property
    def media_address(self) -> str:
        """IP address on which media are received; empty for all addresses."""
        host = self.media_host or self.host
        return "" if host in EVERY_ADDRESS | LOOPBACK_HOSTS else host

    @property
    def is_media_local(self) -> bool:
        """Whether media are received only from this machine, as HTTP is without a proxy."""
        if self.media_host:
            return self.media_host in LOOPBACK_HOSTS
        behind_proxy = self.public_url or self.trusted_proxies or self.advertise_addresses
        return self.host in LOOPBACK_HOSTS and not behind_proxy

    @property
    def media_sockets(self) -> tuple[Path, ...]:
        """Sockets of this node's media workers."""
        if not self.has_media:
            return ()
        return tuple(map(self.media_socket, range(self.media_workers)))

    @property
    def base_url(self) -> str:
        """URL at which browsers and the recorder reach the server, without a final slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.port}"

    @property
    def archive_url(self) -> str:
        """URL of the built-in archive's uploads; empty if it does not run."""
        return f"{self.base_url}/recordings/" if self.archive else ""


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104

APP_PART: Final = "app"
"""Name of the first app process's part. The others' names have a hyphen and their number, too."""

MEDIA_PART: Final = "media-"
"""Prefix of the name of a media worker's part; the worker's number, from 0, follows."""

INTERNAL: Final = frozenset({"run_dir"})
"""Settings made by the supervisor: the directory of Unix sockets, whose paths must be short."""


def app_part(number: int) -> str:
    """Return the name of the part that is the `number`-th app process (from 0)."""
    return f"{APP_PART}-{number}" if number else APP_PART


def app_number(part: str) -> int | None:
    """Return the number of an app process, from the name of its part; `None` for other parts."""
    name, _, number = part.partition("-")
    return int(number or 0) if name == APP_PART else None


def encode_settings(settings: Settings) -> bytes:
    """Return the settings as one line of JSON for a child process."""
    return msgspec.json.encode(settings, enc_hook=str)


def decode_settings(line: bytes) -> Settings:
    """Return the settings of such a line; raises `msgspec.MsgspecError`."""
    return msgspec.json.decode(line, type=Settings, dec_hook=decode_path)


def decode_path(kind: type[Any], value: Any) -> Path:
    """Convert text to a `Path`, a type that msgspec does not support."""
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)
