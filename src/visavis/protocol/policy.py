"""The resource `livechat/recordingPolicy`: its bodies, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.policy import (
    Consent,
    PolicyChange,
    PolicyField,
    RecordingPolicy,
    Unrecordable,
)
from visavis.protocol.wire import JsonBody, Secret, by_name, read_choice, read_secret

MAX_RETENTION_DAYS: Final = 36_500

RequiredConsent = Literal["notice", "agreement"]
Days = Annotated[int, Meta(ge=1, le=MAX_RETENTION_DAYS)]


class RecordingPolicySettings(JsonBody):
    """Recording policy of a site. retentionDays null keeps recordings forever."""

    consent: RequiredConsent
    unrecordable: Literal["refuse", "continue"]
    retention_days: Days | None
    has_secret: bool


class RecordingPolicyChange(JsonBody):
    """A change of the policy; absent fields stay. A secret of null or "" removes it."""

    consent: RequiredConsent | UnsetType = UNSET
    unrecordable: Literal["refuse", "continue"] | UnsetType = UNSET
    retention_days: Days | UnsetType | None = UNSET
    secret: Secret | UnsetType | None = UNSET


def settings_of(policy: RecordingPolicy) -> RecordingPolicySettings:
    """Return a policy without its secret, which is never sent."""
    return RecordingPolicySettings(
        "agreement" if policy.consent is Consent.AGREEMENT else "notice",
        "refuse" if policy.unrecordable is Unrecordable.REFUSE else "continue",
        policy.retention_days,
        policy.secret is not None,
    )


def read_change(body: Mapping[str, Any]) -> PolicyChange:
    """Return the body of a PUT as a change; raise the 400 errors.

    Keys match without regard to case; what is absent stays.
    """
    values, changes = by_name(body), dict[str, Any]()
    if PolicyField.CONSENT.casefold() in values:
        kinds = (Consent.NOTICE, Consent.AGREEMENT)
        changes["consent"] = read_choice(values, PolicyField.CONSENT, kinds)
    if PolicyField.UNRECORDABLE.casefold() in values:
        changes["unrecordable"] = read_choice(values, PolicyField.UNRECORDABLE, Unrecordable)
    if PolicyField.RETENTION.casefold() in values:
        changes["retention_days"] = _days(values[PolicyField.RETENTION.casefold()])
    if PolicyField.SECRET.casefold() in values:
        changes["secret"] = read_secret(values[PolicyField.SECRET.casefold()])
        changes["secret_origin"] = None  # that of the recording server as it is now
    return lambda policy: replace(policy, **changes)


def _days(value: Any) -> int | None:
    if value is None:
        return None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 1 <= value <= MAX_RETENTION_DAYS:
        field, most = PolicyField.RETENTION.value, MAX_RETENTION_DAYS
        raise VisavisError(ErrorCode.RetentionInvalid, field=field, most=most)
    return int(value)
