"""Errors of recording servers, as sentences for people."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import httpx2
import pytest

from visavis.outbound.errors import connection_error, refusal, retry_after

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("7.5", 0),
        ("²", 0),
        ("9" * 400, 999_999_999),
    ],
)
def test_retry_after_as_seconds_or_as_a_date(text: str, seconds: float) -> None:
    assert retry_after(httpx2.Headers({b"Retry-After": text.encode()}), NOW) == seconds


def test_no_retry_after() -> None:
    assert retry_after({}, NOW) == 0


@pytest.mark.parametrize(
    ("status", "words", "is_servers"),
    [
        (200, "200 OK. A tus 1.0 server does not answer this", True),
        (302, "302 Found. Redirects are not followed", True),
        (400, "400 Bad Request", False),
        (401, "requires a secret", True),
        (403, "check the secret", True),
        (404, "404 Not Found", True),
        (413, "larger than it, or a proxy", False),
        (423, "still in progress", False),
        (429, "asks Visavis to wait", True),
        (460, "460 Checksum Mismatch", False),
        (503, "an error of its own", True),
        (507, "no space left", True),
        (599, "answered 599.", True),
    ],
)
def test_refusals(status: int, words: str, is_servers: bool) -> None:
    error = refusal("did not create an upload", httpx2.Response(status))
    assert str(error).startswith("The recording server did not create an upload: it answered ")
    assert words in str(error)
    assert error.is_servers is is_servers


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx2.ConnectTimeout(""), "no connection within 10 seconds"),
        (httpx2.ReadTimeout(""), "no data for 60 seconds"),
        (httpx2.WriteTimeout(""), "accepted no data for 60 seconds"),
        (httpx2.ConnectError(""), "accepts no connections"),
        (httpx2.RemoteProtocolError(""), "does not speak HTTP"),
        (httpx2.ReadError(""), "closed the connection"),
        (httpx2.LocalProtocolError("Illegal header"), "cannot be reached: Illegal header"),
        (httpx2.DecodingError(""), "cannot be reached: DecodingError"),
    ],
)
def test_broken_connections(error: httpx2.HTTPError, words: str) -> None:
    told = connection_error(error)
    assert words in str(told)
    assert told.is_servers


def test_a_certificate_that_is_none() -> None:
    error = httpx2.ConnectError("")
    error.__cause__ = ssl.SSLCertVerificationError("certificate has expired")
    assert "cannot be trusted: " in str(connection_error(error))
