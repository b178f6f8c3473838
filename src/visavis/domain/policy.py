"""How a site records: what the hosted product's configuration has no word for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Consent(StrEnum):
    """What a visitor must be told before a recorded call, and what is kept of it with the call."""

    NONE = "none"  # the call was not to be recorded
    NOTICE = "notice"  # told
    AGREEMENT = "agreement"  # told, and agreed


class Unrecordable(StrEnum):
    """What becomes of a call that ought to be recorded and cannot be."""

    REFUSE = "refuse"
    CONTINUE = "continue"  # it goes on, flagged and alarmed


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """A site's policy. `version` counts real changes.

    `retention_days` `None` keeps recordings for ever. `secret` is the bearer token that the site's
    recording server wants; it is never told to anybody.
    """

    site_id: int
    consent: Consent = Consent.NOTICE
    unrecordable: Unrecordable = Unrecordable.REFUSE
    retention_days: int | None = None
    secret: str | None = None
    version: int = 0
