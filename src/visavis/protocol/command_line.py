"""Output of the administrative commands with `--json`."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from visavis.domain.delivery_status import ExpectedRecording
from visavis.domain.recording import RecordingState
from visavis.protocol.wire import JsonBody, Time, format_time


class FirstCredentials(Struct):
    """The first administrator, and the OAuth client that may use their password."""

    email: str
    password: str
    client_id: str


class SiteAdded(Struct):
    id: int
    name: str


class SiteRow(Struct):
    id: int
    name: str
    disabled: bool


class AgentAdded(Struct):
    """password is present if it was generated."""

    id: int
    email: str
    site: int
    password: str | UnsetType = UNSET


class AgentRow(Struct):
    id: int
    email: str
    name: str
    administrator: bool
    roles: list[str]
    permissions: list[str]
    disabled: bool


class AgentPermissions(Struct):
    email: str
    permissions: list[str]


class AgentPassword(Struct):
    """password is present if it was generated."""

    email: str
    password: str | UnsetType = UNSET


class RoleAdded(Struct):
    name: str
    site: int


class RoleRow(Struct):
    name: str
    permissions: list[str]


class ClientSecret(Struct):
    """client_secret is absent for a public client."""

    client_id: str
    client_secret: str | UnsetType = UNSET


class ClientRow(Struct):
    client_id: str
    name: str
    public: bool
    grants: list[str]
    redirect_uris: list[str]
    disabled: bool


class ApiKeySecret(Struct):
    id: str
    key: str


class ApiKeyRow(Struct):
    """ends is empty for a key that has not been replaced."""

    id: str
    name: str
    agent: str
    created: Time
    ends: str


class AccessToken(Struct):
    """expires_in, in seconds, is present if the command chose the lifetime."""

    access_token: str
    expires_in: int | UnsetType = UNSET


class AuditRow(Struct):
    """A changed field of an entry, or an entry without changed fields."""

    time: Time
    who: str
    action: str
    what: str
    field: str
    old: str
    new: str


class AuditPlace(Struct):
    sequence: int
    hash: str


class AuditBreak(Struct):
    sequence: int
    id: str
    reason: str


class AuditVerification(Struct):
    """Result for the audit log of a site; last is the last entry of the unbroken part."""

    site: int
    entries: int
    unbroken: bool
    last: AuditPlace
    broken: AuditBreak | None


class RecordingsRetried(Struct):
    retried: int


class RecordingsAdopted(Struct):
    adopted: int
    failed: int


class RecordingsGivenUp(Struct):
    delivered: int
    failed: int


class RecordingExported(Struct):
    path: str
    size: int


class MissingRecording(JsonBody):
    """A call whose recording should be at the recording server and is not."""

    site_id: int
    call_id: str
    connected_at: Time
    seconds: float
    recording_id: str | None
    state: RecordingState | Literal["no recording"]
    last_error: str | None


class NodeRow(Struct):
    """A node: one `visavis serve`.

    state is `silent` if it was not heard for 2.5 seconds, and `stopped` for a day after a stop. A
    `drained` node takes no new calls and has neither calls nor open pages.

    calls, pages, media_workers and bridges are those of its last report. sites is the number of
    sites that it owns. jobs are the periodic jobs that it is doing, or was the last to do.
    """

    id: str
    machine: str
    url: str
    state: Literal["ready", "draining", "drained", "stopped", "silent"]
    version: str
    since: Time
    roles: list[str]
    calls: int
    pages: int
    media_workers: int
    bridges: int
    sites: int
    jobs: list[str]


class NodeDrain(Struct):
    """A node that takes no new calls from now on, or takes them again."""

    id: str
    machine: str
    is_drained: bool


class UploadKeySecret(Struct):
    name: str
    site: int
    key: str


class UploadKeyRow(Struct):
    """site is `every` for the server's own key."""

    site: int | Literal["every"]
    name: str
    ends: str


def missing_recording_of(call: ExpectedRecording) -> MissingRecording:
    return MissingRecording(
        site_id=call.site_id,
        call_id=call.call_id,
        connected_at=format_time(call.connected_at),
        seconds=round((call.ended_at - call.connected_at).total_seconds(), 1),
        recording_id=call.recording_id,
        state=call.state or "no recording",
        last_error=call.last_error,
    )
