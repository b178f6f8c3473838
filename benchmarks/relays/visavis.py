"""Our media worker, in the form that `visavis serve` starts, controlled by its control socket."""

from __future__ import annotations

import itertools
import queue
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime

import msgspec

from benchmarks.load.generator import Generator
from benchmarks.load.transport import IDENTITY, LoadTransport, Remote
from benchmarks.relays.network import HOST
from benchmarks.relays.server import Server
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId, RemoteTransport
from visavis.domain.recording import Manifest
from visavis.media import control_protocol
from visavis.settings import Settings, encode_settings

REPLY_SECONDS = 5.0


class Visavis(Server):
    """Our worker with the default packet path, which is the native one if it is built."""

    name = "Visavis"
    packet_path = "auto"
    port = 40000

    def start(self) -> None:
        settings = Settings(
            data_dir=self.directory,
            run_dir=self.directory / "run",
            media_port=self.port,
            media_workers=1,
            media_packet_path=self.packet_path,
            advertise_addresses=(HOST,),
            log_level="warning",
        )
        settings.run_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "visavis", "part", "media-0"]
        self._spawn(command, subprocess.PIPE)
        assert self._process.stdin
        self._process.stdin.write(encode_settings(settings) + b"\n")
        self._process.stdin.flush()
        control_socket = socket.socket(socket.AF_UNIX)
        path = str(settings.media_socket(0))
        self._wait_for(lambda: control_socket.connect_ex(path) == 0)
        self._control = Control(control_socket)

    def add_call(self, number: int, generator: Generator) -> None:
        bridge = BridgeId(f"call{number}", 1)
        ask = self._control.ask
        if self.is_recording:
            ask(control_protocol.Tap, bridge, _manifest(number))
        transports = {leg: LoadTransport(HOST) for leg in (VISITOR_LEG, AGENT_LEG)}
        ours = {leg: _our_end(ask(control_protocol.OpenLeg, bridge, leg)) for leg in transports}
        for leg, transport in transports.items():
            remote = RemoteTransport(
                transport.ufrag, transport.pwd, IDENTITY.fingerprint, (96,), (111,)
            )
            ask(control_protocol.SetRemote, bridge, leg, remote)
            transport.connect(ours[leg])
        ask(control_protocol.Join, bridge)
        for transport in transports.values():
            generator.add(transport)


class VisavisPython(Visavis):
    name = "Visavis, Python path"
    packet_path = "python"
    port = 41000


class Control:
    """The app's side of the worker's control socket. Events of the worker are ignored."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._request_ids = itertools.count(1)
        self._replies: queue.Queue[control_protocol.Reply] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.ask(control_protocol.ListBridges)

    def ask(self, request: type[control_protocol.Request], *what: object) -> control_protocol.Reply:
        body = msgspec.json.encode(request(next(self._request_ids), *what))  # type: ignore[arg-type]
        self._socket.sendall(control_protocol.LENGTH.pack(len(body)) + body)
        reply = self._replies.get(timeout=REPLY_SECONDS)
        if isinstance(reply, control_protocol.Failed):
            raise RuntimeError(f"{request.__name__}: {reply.message}")  # noqa: TRY004
        return reply

    def _listen(self) -> None:
        decoder = msgspec.json.Decoder(control_protocol.Reply | control_protocol.Event)
        with self._socket.makefile("rb") as stream:
            while head := stream.read(control_protocol.LENGTH.size):
                frame = decoder.decode(stream.read(control_protocol.LENGTH.unpack(head)[0]))
                if isinstance(frame, control_protocol.Reply):
                    self._replies.put(frame)


def _our_end(reply: control_protocol.Reply) -> Remote:
    assert isinstance(reply, control_protocol.OurEnd)
    ours = reply.transport
    candidate = next(c for c in ours.candidates if c.protocol == "udp")
    return Remote((candidate.address, candidate.port), ours.ufrag, ours.pwd)


def _manifest(number: int) -> Manifest:
    return Manifest(
        recording_id=f"recording{number}",
        site_id=1,
        call_id=f"call{number}",
        media="video",
        visitor_name="",
        agent_name="",
        started_at=datetime.now(UTC),
    )
