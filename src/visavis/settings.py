"""Every setting of a running system, frozen at start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `visavis serve` was told. Ports are numbers; 0 lets the system choose one.

    `run_dir` holds the sockets between our processes; the supervisor makes it, short enough for a
    Unix socket address.
    """

    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8080
    media_port: int = 8081
    public_url: str = ""
    advertise_addresses: tuple[str, ...] = ()
    archive: bool = True
    allow_private_recording_servers: bool = False
    run_dir: Path = Path("run")

    @property
    def database(self) -> Path:
        return self.data_dir / "visavis.db"

    @property
    def spool(self) -> Path:
        return self.data_dir / "spool"

    @property
    def archive_dir(self) -> Path:
        return self.data_dir / "archive"

    @property
    def archive_key_file(self) -> Path:
        """The secret by which the recorder proves itself to the built-in archive."""
        return self.data_dir / "archive.key"

    @property
    def media_socket(self) -> Path:
        return self.run_dir / "media.sock"

    @property
    def base_url(self) -> str:
        """The address under which browsers and the recorder reach us, without a final slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}"

    @property
    def archive_url(self) -> str:
        """Where the built-in archive takes uploads; empty when it does not run."""
        return f"{self.base_url}/recordings/" if self.archive else ""


def encode_settings(settings: Settings) -> bytes:
    """One line of JSON for a child process."""
    return msgspec.json.encode(settings, enc_hook=str)


def decode_settings(line: bytes) -> Settings:
    """The inverse of `encode_settings`; raises `msgspec.MsgspecError`."""
    return msgspec.json.decode(line, type=Settings, dec_hook=_decode_path)


def _decode_path(kind: type[Any], value: Any) -> Path:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)
