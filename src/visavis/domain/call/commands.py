"""Commands of a call to the media workers.

A call has at most one command in progress, apart from `CloseBridge`. Each reports back as a
`CommandDone` or a `CommandFailed`. `requester` is the socket of the page whose request the command
carries out, empty if there is none; a failure is told to it.
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
    """Record the bridge's packets, and list the recording in the database."""

    manifest: Manifest
    is_listed: bool
    is_paused: bool


class SetRemoteEnd(BridgeCommand, frozen=True, kw_only=True):
    """Tell a leg what its browser has said of itself; `answered` is the leg that accepts that."""

    leg: int
    remote: RemoteTransport
    answered: int


class JoinLegs(BridgeCommand, frozen=True, kw_only=True):
    """Set the remote end of the leg that has answered, write a note, and join the legs.

    Joining again asks both browsers for a key frame.
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
