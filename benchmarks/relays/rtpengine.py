"""rtpengine (Debian's `rtpengine-daemon`) in user space, controlled by its ng protocol."""

from __future__ import annotations

import itertools
import shutil
import socket
from typing import Any

from benchmarks.load.description import describe, remotes
from benchmarks.load.generator import Generator
from benchmarks.load.transport import LoadTransport
from benchmarks.relays.network import HOST
from benchmarks.relays.server import Server

NG = ("127.0.0.1", 2223)
WEBRTC = {
    "ICE": "force",
    "DTLS": "passive",
    "SDES": ["off"],
    "rtcp-mux": ["require"],
    "replace": ["origin"],
    "transport-protocol": "UDP/TLS/RTP/SAVPF",
}


class Rtpengine(Server):
    """rtpengine. It does not support BUNDLE, so each browser has two transports."""

    name = "rtpengine"

    def start(self) -> None:
        command = [
            shutil.which("rtpengine") or "/usr/bin/rtpengine",
            "--foreground",
            "--log-stderr",
            "--log-level=4",
            "--config-file=none",
            "--table=-1",
            f"--interface={HOST}",
            f"--listen-ng={NG[0]}:{NG[1]}",
            "--num-threads=1",
        ]
        if self.is_recording:
            command += ["--recording-method=pcap", f"--recording-dir={self.directory}"]
        self._spawn(command)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.5)
        self._socket.connect(NG)
        self._cookies = itertools.count()
        self._wait_for(self._answers)

    def stop(self) -> None:
        super().stop()
        self._socket.close()

    def add_call(self, number: int, generator: Generator) -> None:
        visitor, agent = ([LoadTransport(HOST), LoadTransport(HOST)] for _ in range(2))
        who = {"call-id": f"call{number}", "from-tag": "visitor"}
        if self.is_recording:
            who["record call"] = "on"
        offer = self._ask(who | {"command": "offer", "sdp": describe(visitor, setup="actpass")})
        text = describe(agent, setup="active")
        answer = self._ask(who | {"command": "answer", "to-tag": "agent", "sdp": text})
        for transports, sdp in ((visitor, answer["sdp"]), (agent, offer["sdp"])):
            for transport, remote in zip(transports, remotes(sdp), strict=True):
                transport.connect(remote)
        for transports in (visitor, agent):
            for transport, kind in zip(transports, ("audio", "video"), strict=True):
                generator.add(transport, sends=(kind,))

    def _answers(self) -> bool:
        try:
            return bool(self._exchange({"command": "ping"})["result"] == "pong")
        except OSError:
            return False

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        reply = self._exchange(request | WEBRTC)
        if reply["result"] != "ok":
            raise RuntimeError(f"rtpengine: {reply}")
        return reply

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        cookie = b"%d " % next(self._cookies)
        self._socket.send(cookie + encode(request))
        while not (reply := self._socket.recv(65536)).startswith(cookie):
            pass
        decoded, _ = decode(reply, len(cookie))
        return dict(decoded)


def encode(value: Any) -> bytes:
    """Encode a value in bencode."""
    match value:
        case int():
            return b"i%de" % value
        case str():
            data = value.encode()
            return b"%d:%b" % (len(data), data)
        case list():
            return b"l" + b"".join(map(encode, value)) + b"e"
        case dict():
            return b"d" + b"".join(encode(k) + encode(v) for k, v in sorted(value.items())) + b"e"
    raise TypeError(type(value))


def decode(data: bytes, at: int) -> tuple[Any, int]:
    """Decode the bencode value at a position; return it and the position after it."""
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if kind in {b"l", b"d"}:
        items, at = [], at + 1
        while data[at : at + 1] != b"e":
            item, at = decode(data, at)
            items.append(item)
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2], strict=True))), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end].decode(), end
