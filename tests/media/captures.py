"""Datagrams and packets of real browsers, captured by `tests.media.capture`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from visavis.media.rfc4571 import Deframer

DATA: Final = Path(__file__).parent / "data"
BROWSERS: Final = ("chromium", "firefox")


def datagrams(browser: str, kind: str) -> list[bytes]:
    """Return captured datagrams. `kind` is stun, dtls, rtp or rtcp."""
    data = (DATA / f"{browser}-{kind}.bin").read_bytes()
    deframer = Deframer()
    # The file is framed like a TCP connection.
    return [d for at in range(0, len(data), 1460) for d in deframer.feed(data[at : at + 1460])]


def description(browser: str, kind: str) -> str:
    """Return a captured description. `kind` is offer or answer."""
    return (DATA / f"{browser}-{kind}.sdp").read_bytes().decode()
