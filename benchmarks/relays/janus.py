"""Janus (Debian's `janus`): VideoRoom plugin with one room per call, controlled over HTTP."""

from __future__ import annotations

import json
import secrets
import shutil
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.load.description import describe, mids, remotes
from benchmarks.load.generator import Generator
from benchmarks.load.transport import LoadTransport
from benchmarks.relays.network import HOST
from benchmarks.relays.server import Server

CONFIGURATION = """
general: {{
  plugins_folder = "{janus}/plugins"
  transports_folder = "{janus}/transports"
  debug_level = 3
  session_timeout = 0
}}
nat: {{
  ice_lite = true
  ice_enforce_list = "wan0"
}}
plugins: {{ disable = "{unused}" }}
transports: {{ disable = "{others}" }}
"""
HTTP = """
general: {{ json = "compact", base_path = "/janus", http = true, ip = "{host}", port = {port} }}
"""
API = ("127.0.0.1", 8088)
REPLY_SECONDS = 10.0


class Janus(Server):
    """Janus VideoRoom: each browser publishes over one connection and subscribes over another."""

    name = "Janus VideoRoom"

    def start(self) -> None:
        library = next(Path("/usr/lib").glob("*/janus"))
        general = CONFIGURATION.format(
            janus=library,
            unused=_all_but("videoroom", library / "plugins"),
            others=_all_but("http", library / "transports"),
        )
        _write(self.directory / "janus.jcfg", general)
        http = HTTP.format(host=API[0], port=API[1])
        _write(self.directory / "janus.transport.http.jcfg", http)
        _write(self.directory / "janus.plugin.videoroom.jcfg", "general: { }\n")
        self._spawn([shutil.which("janus") or "janus", f"--configs-folder={self.directory}"])
        self._http = HTTPConnection(*API, timeout=REPLY_SECONDS)
        self._path = "/janus"
        self._wait_for(self._answers)
        self._path += f"/{self._ask(janus='create')['data']['id']}"
        self._admin = self._attach()

    def stop(self) -> None:
        super().stop()
        self._http.close()

    def add_call(self, number: int, generator: Generator) -> None:
        room = {
            "request": "create",
            "room": number,
            "publishers": 2,
            "audiocodec": "opus",
            "videocodec": "vp8",
            "record": self.is_recording,
            "rec_dir": str(self.directory),
        }
        self._ask(janus="message", handle_id=self._admin, body=room)
        publishers = [self._publish(number, generator) for _ in range(2)]
        for publisher in publishers:
            self._subscribe(number, publisher, generator)

    def _publish(self, room: int, generator: Generator) -> int:
        handle = self._attach()
        joined, _ = self._tell(handle, {"request": "join", "ptype": "publisher", "room": room})
        transport = LoadTransport(HOST)
        offer = {
            "type": "offer",
            "sdp": describe([transport], setup="active", direction="sendonly"),
        }
        _, answer = self._tell(handle, {"request": "publish"}, offer)
        transport.connect(remotes(answer["sdp"])[0])
        generator.add(transport)
        return int(joined["id"])

    def _subscribe(self, room: int, publisher: int, generator: Generator) -> None:
        handle = self._attach()
        wanted = {"request": "join", "ptype": "subscriber", "room": room}
        _, offer = self._tell(handle, wanted | {"streams": [{"feed": publisher}]})
        transport, sdp = LoadTransport(HOST), offer["sdp"]
        text = describe([transport], setup="active", direction="recvonly", mids=mids(sdp))
        self._tell(handle, {"request": "start"}, {"type": "answer", "sdp": text})
        transport.connect(remotes(sdp)[0])
        generator.add(transport, sends=())

    def _attach(self) -> int:
        plugin = "janus.plugin.videoroom"
        return int(self._ask(janus="attach", plugin=plugin)["data"]["id"])

    def _tell(
        self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Send a request to the plugin; return its event and the session description in it."""
        more = {"jsep": jsep} if jsep else {}
        event = self._ask(janus="message", handle_id=handle, body=body, until="event", **more)
        data = event["plugindata"]["data"]
        if "error" in data:
            raise RuntimeError(f"Janus: {data}")
        return data, event.get("jsep", {})

    def _ask(self, until: str = "success", **request: Any) -> dict[str, Any]:
        """Send a request; return the response, or the event that follows it."""
        transaction = secrets.token_hex(8)
        reply = self._exchange("POST", request | {"transaction": transaction})
        while reply["janus"] != until or reply.get("transaction") != transaction:
            if reply["janus"] == "error":
                raise RuntimeError(f"Janus: {reply['error']}")
            reply = self._exchange("GET")
        return reply

    def _exchange(self, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        self._http.request(method, self._path, json.dumps(body) if body else None)
        return dict(json.loads(self._http.getresponse().read()))

    def _answers(self) -> bool:
        try:
            self._http.request("GET", "/janus/info")
            self._http.getresponse().read()
        except ConnectionRefusedError:
            self._http.close()
            return False
        return True


def _all_but(used: str, directory: Path) -> str:
    installed = {path.name for path in directory.glob("*.so")}
    return ",".join(sorted(installed - {f"libjanus_{used}.so"}))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
