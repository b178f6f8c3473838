"""Debian's Firefox, controlled by its own Marionette protocol, without another driver.

Each message is its length in decimal, a colon, and JSON: `[0, id, command, parameters]` is a
request, and `[1, id, error, result]` is its response.
"""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

from tests.media.loudspeaker import Loudspeaker
from tests.running import PATIENCE, free_media_port

FIREFOX: Final = "/usr/bin/firefox-esr"
PREFERENCES: Final = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False,
}


ANSWERED_STATS: Final = """(() => {
  const getStats = RTCPeerConnection.prototype.getStats;
  RTCPeerConnection.prototype.getStats = async function (...selector) {
    for (let attempt = 0; attempt < 5; attempt++) {
      const late = new Promise(resolve => setTimeout(resolve, 2000));
      const report = await Promise.race([getStats.apply(this, selector), late]);
      if (report) return report;
    }
    return new Map();
  };
})()"""
"""Script that repeats `getStats`: Firefox never answers some requests while a connection starts."""


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<video muted style='opacity: 0'></video>")

    def log_message(self, *_: object) -> None:
        pass


class Firefox:
    """Headless Firefox with one page, which `script` prepares. Close it when done.

    `page_scripts` run in every page as soon as it is loaded.
    """

    def __init__(self, directory: Path, script: str, page_scripts: tuple[str, ...] = ()) -> None:
        self._page_scripts = (ANSWERED_STATS, *page_scripts)
        self._loudspeaker = Loudspeaker(directory)
        self._ids = itertools.count()
        port = free_media_port()
        preferences = {**PREFERENCES, "marionette.port": port}
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items()]
        (directory / "user.js").write_text("\n".join(lines))
        command = [FIREFOX, "--headless", "--marionette", "--no-remote"]
        self._process = subprocess.Popen(
            [*command, "--profile", str(directory)],
            env={
                "HOME": str(directory),
                "PATH": "/usr/bin:/bin",
                "PULSE_SERVER": self._loudspeaker.server,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._socket = _connect(port)
        self._stream = self._socket.makefile("rb")
        self._read()
        self._ask("WebDriver:NewSession", {})
        # getUserMedia requires a secure context, which a loopback address is.
        self._server = HTTPServer(("127.0.0.1", 0), _Blank)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._script = script
        self.begin_anew()

    def begin_anew(self) -> None:
        """Load a blank page and prepare it with the script."""
        self.goto(f"http://127.0.0.1:{self._server.server_port}/")
        self._ask("WebDriver:ExecuteScript", {"script": self._script, "args": []})

    def goto(self, url: str) -> None:
        self._ask("WebDriver:Navigate", {"url": url})
        for script in self._page_scripts:
            self._ask("WebDriver:ExecuteScript", {"script": script, "args": []})

    def evaluate(self, expression: str, argument: Any = None) -> Any:
        """Evaluate like a Playwright page, which awaits promises."""
        call = f"({expression})(arguments[0])" if argument is not None else f"({expression})"
        parameters = {"script": f"return {call}", "args": [argument]}
        return self._ask("WebDriver:ExecuteScript", parameters)["value"]

    def wait_for_timeout(self, milliseconds: float) -> None:
        time.sleep(milliseconds / 1000)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._loudspeaker.close()
        self._stream.close()
        self._socket.close()
        self._server.shutdown()
        self._server.server_close()

    def _ask(self, command: str, parameters: dict[str, Any]) -> Any:
        message = json.dumps([0, next(self._ids), command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def _read(self) -> Any:
        length = b""
        while (digit := self._stream.read(1)) != b":":
            assert digit, "Firefox is gone"
            length += digit
        return json.loads(self._stream.read(int(length)))


def _connect(port: int) -> socket.socket:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        except OSError:
            assert time.monotonic() < until, "Firefox does not start"
            time.sleep(0.2)
