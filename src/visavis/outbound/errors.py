"""Errors of recording servers, as sentences for the administrator."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx2

SILENCE_SECONDS: Final = 60.0
CONNECT_SECONDS: Final = 10.0

# Statuses that concern one recording only: the server may accept others.
_ABOUT_THE_FILE: Final = frozenset({400, 409, 413, 415, 423, 460})
_CHECKSUM_MISMATCH: Final = 460  # tus 1.0, checksum extension

_HINTS: Final = {
    401: "It requires a secret, or a different one: see the recording policy.",
    403: "It refuses access: check the secret in the recording policy.",
    413: "The request is larger than it, or a proxy in front of it, accepts.",
    423: "Another upload of this recording is still in progress there.",
    429: "It asks Visavis to wait.",
    460: "The bytes did not arrive as they were sent.",
    507: "It has no space left.",
}


class DeliveryError(Exception):
    """A delivery failed; the message says why.

    `is_servers` says that the server as a whole fails, so that no other recording can be delivered
    either. `retry_after` is in seconds, 0 if the server sent none. `is_broken_off` says that the
    connection ended in the middle of the request.
    """

    def __init__(
        self,
        sentence: str,
        *,
        retry_after: float = 0.0,
        is_servers: bool = False,
        is_broken_off: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.is_servers = is_servers
        self.is_broken_off = is_broken_off


def refusal(what: str, response: httpx2.Response) -> DeliveryError:
    """Return the error for a response that refuses, or that tus 1.0 does not allow here."""
    status = response.status_code
    return DeliveryError(
        f"The recording server {what}: it answered {_named(status)}. {_hint(status)}",
        retry_after=retry_after(response.headers, datetime.now(UTC)),
        is_servers=status not in _ABOUT_THE_FILE,
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Return the seconds of a Retry-After header (RFC 9110 §10.2.3); 0 if there is none."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def connection_error(error: httpx2.HTTPError) -> DeliveryError:
    """Return the error for a failed connection."""
    is_broken_off = isinstance(error, httpx2.RemoteProtocolError | httpx2.NetworkError)
    return DeliveryError(
        f"The recording server {_describe_failure(error)}.",
        is_servers=True,
        is_broken_off=is_broken_off and not isinstance(error, httpx2.ConnectError),
    )


def _describe_failure(error: httpx2.HTTPError) -> str:
    match error:
        case httpx2.ConnectTimeout():
            return f"is not responding: no connection within {CONNECT_SECONDS:.0f} seconds"
        case httpx2.ReadTimeout():
            return f"stopped responding: no data for {SILENCE_SECONDS:.0f} seconds"
        case httpx2.WriteTimeout():
            return f"is stuck: it accepted no data for {SILENCE_SECONDS:.0f} seconds"
        case httpx2.ConnectError() if tls := _tls_error(error):
            return tls
        case httpx2.ConnectError():
            return "cannot be reached: it accepts no connections"
        case httpx2.RemoteProtocolError():
            return "closed the connection, or does not speak HTTP"
        case httpx2.NetworkError():
            return "closed the connection"
    return f"cannot be reached: {str(error) or type(error).__name__}"


def _tls_error(error: BaseException) -> str:
    """Return why TLS could not be set up, empty if TLS is not the cause.

    The HTTP library chains errors sometimes by `__cause__` and sometimes by `__context__`.
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            reason = found.verify_message if found.args[1:] else str(found)
            return f"cannot be trusted: its certificate is not valid here ({reason})"
        if isinstance(found, ssl.SSLError):
            return f"failed to set up TLS: {found.reason or found}"
        found = found.__cause__ or found.__context__
    return ""


def _named(status: int) -> str:
    """Return the status with its standard phrase, because a server's own phrase is not logged."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        name = "Checksum Mismatch" if status == _CHECKSUM_MISMATCH else ""
        return f"{status} {name}".strip()


def _hint(status: int) -> str:
    if status in _HINTS:
        return _HINTS[status]
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "Redirects are not followed: enter the URL to which it redirects."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "It reports an error of its own."
    return "A tus 1.0 server does not answer this: check the URL."
