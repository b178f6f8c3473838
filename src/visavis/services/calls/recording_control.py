"""Control of a call's recording: automatic or manual, paused, resumed, failed."""

from __future__ import annotations

from typing import Final, Literal

import structlog

from visavis.domain.call import CallState, CallTrigger
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.policy import Consent, Unrecordable
from visavis.domain.recording import Manifest
from visavis.domain.vocabulary import Party
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall, Bridge, Participant
from visavis.services.calls.registry import CallRegistry
from visavis.services.ports import MediaPlane, Store

log = structlog.get_logger(__name__)

_HAPPENING: Final = {
    ("off", "on"): CallEventName.RECORDING_STARTED,
    ("on", "paused"): CallEventName.RECORDING_PAUSED,
    ("paused", "on"): CallEventName.RECORDING_RESUMED,
}


STATE_SENTENCES: Final = {
    "off": "The call is not being recorded.",
    "on": "The call is already being recorded.",
    "paused": "The recording is paused.",
}


class RecordingControl:
    """`unrecorded` counts the calls that went on although they could not be recorded."""

    def __init__(self, registry: CallRegistry, media: MediaPlane, store: Store) -> None:
        self._registry = registry
        self._media = media
        self._store = store
        self.unrecorded = 0

    async def start(self, call: ActiveCall, bridge: Bridge) -> None:
        """Record a bridge of a recorded call before its legs are joined.

        Raises `RecordingUnavailable` where the site's policy refuses calls that cannot be recorded,
        and `MediaUnavailable`.
        """
        if call.record.recording_id is None:
            return
        try:
            await self._open_journal(call, bridge, call.record.recording_id)
        except VisavisError as error:
            if error.kind is ErrorKind.MediaUnavailable:
                raise
            self._handle_failure(call, error.message)
            return
        if call.recording.state == "paused":
            await self._media.pause(bridge.id, paused=True)
        else:
            self._set(call, "on", "system")

    def journal_lost(self, call: ActiveCall, why: str) -> None:
        """A journal can no longer be written."""
        try:
            self._handle_failure(call, why)
        except VisavisError:
            self._registry.end(call, CallTrigger.CANNOT_RECORD)

    async def act(
        self,
        call: ActiveCall,
        participant: Participant,
        action: Literal["start", "pause", "resume"],
    ) -> None:
        """Perform an agent's action; raises `CallNotPossible`, `AgreementNeeded` and others."""
        async with call.lock:
            await self._act(call, participant, action)

    async def _act(
        self,
        call: ActiveCall,
        participant: Participant,
        action: Literal["start", "pause", "resume"],
    ) -> None:
        bridge = call.active_bridge
        if (
            participant is not call.agent
            or bridge is None
            or call.record.state is not CallState.CONNECTED
        ):
            raise VisavisError(ErrorKind.CallNotPossible, "Wait until the call is connected.")
        needed = {"start": "off", "pause": "on", "resume": "paused"}[action]
        if call.recording.state != needed:
            raise VisavisError(ErrorKind.CallNotPossible, STATE_SENTENCES[call.recording.state])
        if action == "start":
            await self._start_by_hand(call, bridge)
        else:
            await self._media.pause(bridge.id, paused=action == "pause")
            self._set(call, "paused" if action == "pause" else "on", "agent")

    async def _start_by_hand(self, call: ActiveCall, bridge: Bridge) -> None:
        record = call.record
        if call.policy.consent is Consent.AGREEMENT and record.consent is not Consent.AGREEMENT:
            raise VisavisError(
                ErrorKind.AgreementNeeded, "The visitor has not agreed to be recorded."
            )
        manifest = await self._open_journal(
            call, bridge, record.recording_id or self._registry.new_id()
        )
        record.recording_id, record.is_recorded = manifest.recording_id, True
        if record.consent is Consent.NONE:
            record.consent = Consent.NOTICE  # the visitor's page says so from now on
        self._set(call, "on", "agent")
        await describe_to_journal(self._media, bridge)
        await self._media.join(bridge.id)  # which asks both browsers for a key frame

    async def _open_journal(self, call: ActiveCall, bridge: Bridge, recording_id: str) -> Manifest:
        recording = call.recording
        manifest = recording.manifest = recording.manifest or self._manifest(call, recording_id)
        # the recorder muxes a recording whose call is not in the database
        await self._registry.call_log.flush()
        await self._media.tap(bridge.id, manifest)
        if not recording.is_listed:
            # once its journal exists: a failed start would stay listed as pending forever
            await self._store.write(lambda rows: rows.recordings.add(manifest))
            recording.is_listed = True
        return manifest

    def _manifest(self, call: ActiveCall, recording_id: str) -> Manifest:
        record = call.record
        return Manifest(
            recording_id=recording_id,
            site_id=record.site_id,
            call_id=record.id,
            media=record.media,
            visitor_name=record.visitor.name,
            agent_name=record.agent.name if record.agent else "",
            started_at=self._registry.now(),
        )

    def _handle_failure(self, call: ActiveCall, why: str) -> None:
        log.error("call not recorded", call_id=call.id, site_id=call.site_id, why=why)
        if call.policy.unrecordable is Unrecordable.REFUSE:
            raise VisavisError(ErrorKind.RecordingUnavailable)
        self.unrecorded += not call.record.is_unrecorded
        call.record.is_unrecorded = True
        self._registry.record_event(call, CallEventName.UNRECORDED, why=why)
        call.recording.state, call.recording.since, call.recording.by = (
            "off",
            self._registry.now(),
            "system",
        )
        self._registry.send_to_both(call, recording_message(call))

    def _set(self, call: ActiveCall, state: Literal["on", "paused"], by: Party) -> None:
        recording = call.recording
        if recording.state != state:
            self._registry.record_event(call, _HAPPENING[recording.state, state], by=by)
            recording.state, recording.since, recording.by = state, self._registry.now(), by
            self._registry.send_to_both(call, recording_message(call))


def recording_message(call: ActiveCall) -> signaling.RecordingChanged:
    recording = call.recording
    return signaling.RecordingChanged(
        call_id=call.id, state=recording.state, since=recording.since, by=recording.by
    )


async def describe_to_journal(media: MediaPlane, bridge: Bridge) -> None:
    """Tell the link's journal what the browsers have agreed on."""
    visitor, agent = bridge.described[Side.VISITOR], bridge.described[Side.AGENT]
    await media.note(
        bridge.id,
        {
            "type": "descriptions",
            "link": bridge.number,
            "visitor": visitor.sdp,
            "agent": agent.sdp,
            "visitorScreenMid": visitor.screen_mid,
            "agentScreenMid": agent.screen_mid,
        },
    )
