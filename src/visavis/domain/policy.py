"""Policy of a site for recording and calls: settings that the hosted product does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from visavis.domain.call_timings import CallTimings
from visavis.domain.distribution import RING_LIMIT

_PORTS: Final = {"http": 80, "https": 443}


class Consent(StrEnum):
    """Consent to recording: required by a site before recorded calls, and stored with a call."""

    NONE = "none"  # the call is not to be recorded
    NOTICE = "notice"  # the visitor is told
    AGREEMENT = "agreement"  # the visitor is told and agrees


class Unrecordable(StrEnum):
    """Handling of a call that should be recorded and cannot be."""

    REFUSE = "refuse"
    CONTINUE = "continue"  # it goes on, is flagged, and an error is logged


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """Policy of a site. `version` rises when a value changes.

    Recordings are deleted after `retention_days`, never if that is `None`. `secret` is the bearer
    token that the site's recording server requires. It is never shown, and it is sent only to
    `secret_origin`: the scheme, host and port for which it was stored. `timings` apply to calls
    that begin after a change. `ring_limit` is the number of agents at whom a call rings at first,
    `None` for all.
    """

    site_id: int
    consent: Consent = Consent.NOTICE
    unrecordable: Unrecordable = Unrecordable.REFUSE
    retention_days: int | None = None
    secret: str | None = None
    version: int = 0
    secret_origin: str | None = None
    timings: CallTimings = field(default_factory=CallTimings)
    ring_limit: int | None = RING_LIMIT

    def secret_for(self, url: str) -> str | None:
        """Return the secret if it was stored for the server of this URL."""
        return self.secret if self.secret_origin == origin_of(url) else None


class PolicyField(StrEnum):
    """Names of the policy's fields, in the audit log, in errors and in the API."""

    CONSENT = "consent"
    UNRECORDABLE = "unrecordable"
    RETENTION = "retentionDays"
    SECRET = "secret"  # noqa: S105  the name of a field
    RING = "ringSeconds"
    QUEUE = "queueSeconds"
    CONNECT = "connectSeconds"
    RESUME = "resumeSeconds"
    RING_LIMIT = "ringLimit"


PolicyChange = Callable[[RecordingPolicy], RecordingPolicy]
"""Function that returns the changed policy for the current one."""


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL; the port defaults to that of the scheme."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""
