"""The resource `livechat/recordingPolicy`: its bodies, and reading them.

It has the settings of a site that the configuration of the hosted product does not have: how calls
are recorded, and how long they ring and wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.policy import (
    Consent,
    PolicyChange,
    PolicyField,
    RecordingPolicy,
    Unrecordable,
)
from visavis.protocol.wire import JsonBody, Secret, read_choice, read_secret


class Range(NamedTuple):
    least: int
    most: int


DAYS: Final = Range(1, 36_500)
RING: Final = Range(10, 600)
QUEUE: Final = Range(0, 3_600)
CONNECT: Final = Range(10, 120)
RESUME: Final = Range(5, 120)
RING_LIMIT: Final = Range(1, 1_000)

TIMINGS: Final = {
    PolicyField.RING: ("ring", RING),
    PolicyField.QUEUE: ("queue", QUEUE),
    PolicyField.CONNECT: ("connect", CONNECT),
    PolicyField.RESUME: ("resume", RESUME),
}
"""Fields of `CallTimings` that can be set, with their ranges."""

RequiredConsent = Literal["notice", "agreement"]
Days = Annotated[int, Meta(ge=DAYS.least, le=DAYS.most)]
RingSeconds = Annotated[int, Meta(ge=RING.least, le=RING.most)]
QueueSeconds = Annotated[int, Meta(ge=QUEUE.least, le=QUEUE.most)]
ConnectSeconds = Annotated[int, Meta(ge=CONNECT.least, le=CONNECT.most)]
ResumeSeconds = Annotated[int, Meta(ge=RESUME.least, le=RESUME.most)]
RingLimit = Annotated[int, Meta(ge=RING_LIMIT.least, le=RING_LIMIT.most)]


class RecordingPolicySettings(JsonBody):
    """Recording policy of a site, and the time limits of its calls.

    Recordings are kept forever if retentionDays is null. A call rings for ringSeconds, is queued
    for queueSeconds, must connect within connectSeconds, and waits resumeSeconds for a lost page.
    It rings at ringLimit agents at first, at all if that is null.
    """

    consent: RequiredConsent
    unrecordable: Literal["refuse", "continue"]
    retention_days: Days | None
    has_secret: bool
    ring_seconds: RingSeconds
    queue_seconds: QueueSeconds
    connect_seconds: ConnectSeconds
    resume_seconds: ResumeSeconds
    ring_limit: RingLimit | None


class RecordingPolicyChange(JsonBody):
    """A change of the policy; absent fields do not change. A secret of null or "" removes it."""

    consent: RequiredConsent | UnsetType = UNSET
    unrecordable: Literal["refuse", "continue"] | UnsetType = UNSET
    retention_days: Days | UnsetType | None = UNSET
    secret: Secret | UnsetType | None = UNSET
    ring_seconds: RingSeconds | UnsetType = UNSET
    queue_seconds: QueueSeconds | UnsetType = UNSET
    connect_seconds: ConnectSeconds | UnsetType = UNSET
    resume_seconds: ResumeSeconds | UnsetType = UNSET
    ring_limit: RingLimit | UnsetType | None = UNSET


def settings_of(policy: RecordingPolicy) -> RecordingPolicySettings:
    """Return the body of a policy, without its secret, which is never sent."""
    timings = policy.timings
    return RecordingPolicySettings(
        consent="agreement" if policy.consent is Consent.AGREEMENT else "notice",
        unrecordable="refuse" if policy.unrecordable is Unrecordable.REFUSE else "continue",
        retention_days=policy.retention_days,
        has_secret=policy.secret is not None,
        ring_seconds=timings.ring,
        queue_seconds=timings.queue,
        connect_seconds=timings.connect,
        resume_seconds=timings.resume,
        ring_limit=policy.ring_limit,
    )


def read_change(values: Mapping[str, Any]) -> PolicyChange:
    """Return the change that the body of a PUT describes; raise the 400 errors.

    Keys match in upper or lower case; absent fields do not change.
    """
    changes = dict[str, Any]()
    if PolicyField.CONSENT.casefold() in values:
        kinds = (Consent.NOTICE, Consent.AGREEMENT)
        changes["consent"] = read_choice(values, PolicyField.CONSENT, kinds)
    if PolicyField.UNRECORDABLE.casefold() in values:
        changes["unrecordable"] = read_choice(values, PolicyField.UNRECORDABLE, Unrecordable)
    if PolicyField.SECRET.casefold() in values:
        changes["secret"] = read_secret(values[PolicyField.SECRET.casefold()])
        changes["secret_origin"] = None  # set to the origin of the current recording server
    if PolicyField.RETENTION.casefold() in values:
        changes["retention_days"] = _read_optional_number(values, PolicyField.RETENTION, DAYS)
    if PolicyField.RING_LIMIT.casefold() in values:
        changes["ring_limit"] = _read_optional_number(values, PolicyField.RING_LIMIT, RING_LIMIT)
    timings = {
        name: _read_number(values, field, limits)
        for field, (name, limits) in TIMINGS.items()
        if field.casefold() in values
    }
    return lambda policy: replace(
        policy, timings=msgspec.structs.replace(policy.timings, **timings), **changes
    )


def _read_number(values: Mapping[str, Any], field: PolicyField, limits: Range) -> int:
    value = values[field.casefold()]
    if not _is_number(value, limits):
        raise VisavisError(ErrorCode.NumberInvalid, field=field.value, **limits._asdict())
    return int(value)


def _read_optional_number(
    values: Mapping[str, Any], field: PolicyField, limits: Range
) -> int | None:
    value = values[field.casefold()]
    if value is None:
        return None
    if not _is_number(value, limits):
        raise VisavisError(ErrorCode.OptionalNumberInvalid, field=field.value, **limits._asdict())
    return int(value)


def _is_number(value: Any, limits: Range) -> bool:
    """Whether this is a whole number in the range; 30.0 is one, as in JSON Schema."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return limits.least <= value <= limits.most and value == int(value)
