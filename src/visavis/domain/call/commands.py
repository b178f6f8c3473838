"""Commands of a call to the media workers.

A call has at most one command in progress, not counting `CloseBridge`. Each command reports back as
a `CommandDone` or a `CommandFailed` event. `requester` is the socket of the page that requested the
command, empty if no page did; a failure is reported to that page.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from visavis.domain.leg import BridgeId, RemoteTransport
from visavis.domain.recording import Manifest


class BridgeCommand(Struct, frozen=True, tag=True):
    bridge: BridgeId
    requester: str = ""


class OpenLegs(BridgeCommand, frozen=True, kw_only=True):
    """Open the legs, and let the visitor's browser connect."""

    legs: tuple[int, ...]
    remote: RemoteTransport


class StartJournal(BridgeCommand, frozen=True, kw_only=True):
    """Record the bridge's packets, and add the recording to the database unless it `is_listed`."""

    manifest: Manifest
    is_listed: bool
    is_paused: bool


class SetRemoteEnd(BridgeCommand, frozen=True, kw_only=True):
    """Set the transport parameters of a leg's browser, taken from its offer.

    `answered` is the leg whose page has answered that offer.
    """

    leg: int
    remote: RemoteTransport
    answered: int


class JoinLegs(BridgeCommand, frozen=True, kw_only=True):
    """Set the transport parameters of the answering browser, write a note, and join the legs.

    Each part is optional. Joining legs that are joined already asks both browsers for a key frame.
    """

    leg: int | None = None
    remote: RemoteTransport | None = None
    note: dict[str, Any] | None = None
    is_join: bool = True


class PauseJournal(BridgeCommand, frozen=True, kw_only=True):
    """Stop recording the bridge's packets, or record them again."""

    is_paused: bool


class CloseBridge(BridgeCommand, frozen=True):
    """Close the legs and seal the journal."""


MediaCommand = OpenLegs | StartJournal | SetRemoteEnd | JoinLegs | PauseJournal | CloseBridge
