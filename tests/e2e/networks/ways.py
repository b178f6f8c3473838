"""The way that a page's media takes, where the test decides it as a firewall or a router would."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

from tests.e2e.flow import Page
from tests.media.nat import Nat
from tests.running import PATIENCE, System, eventually, free_media_port, listens

SCRIPT = """
window.way = {candidates: "", port: 0, turn: ""};
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration) {
    const {turn} = window.way;
    super({...configuration, iceTransportPolicy: turn ? "relay" : "all",
           iceServers: configuration.iceServers.map(server => ({...server,
             urls: server.urls.filter(url => turn && url.endsWith(turn))}))
             .filter(server => server.urls.length)});
  }
  setRemoteDescription(description) {
    const {candidates, port} = window.way;
    const isSeen = line => !line.startsWith("a=candidate:") || line.match(candidates);
    const sdp = description.sdp.split("\\r\\n").filter(isSeen).join("\\r\\n");
    const moved = sdp.replace(/^(a=candidate:.* 127.0.0.1) \\d+ typ/gm, `$1 ${port} typ`);
    return super.setRemoteDescription({type: description.type, sdp: port ? moved : sdp});
  }
};
"""

PRESS = """label => {
  const all = root => [...root.querySelectorAll("*")]
    .flatMap(one => one.shadowRoot ? [one, ...all(one.shadowRoot)] : [one]);
  const button = all(document).find(one => one.localName === "button" && !one.disabled
    && (one.getAttribute("aria-label") ?? one.textContent).trim() === label);
  button?.click();
  return !!button;
}"""
"""Presses a button by its name, in pages of any browser."""


@dataclass(frozen=True)
class Way:
    """A network path of a page: the candidates it is given, their port, a TURN server.

    `turn` is how the address of the only TURN server to be used ends; empty, none is.
    """

    candidates: str = ""
    port: int = 0
    turn: str = ""


def take(page: Page, way: Way) -> None:
    """For links to come; the page has to have been opened with `SCRIPT`."""
    page.evaluate(f"void (window.way = {json.dumps(asdict(way))})")


def taken(page: Page, name: str) -> str:
    """Return the page's transport: `udp`, `tcp`, `udp by TURN` or `tcp by TURN`."""
    script = f"""async () => {{
      const all = [...(await {name}.peerConnection.getStats()).values()];
      const transport = all.find(s => s.type === "transport");
      const pair = all.find(s => s.id === transport.selectedCandidatePairId);
      const own = all.find(s => s.id === pair.localCandidateId);
      return own.candidateType === "relay" ? `${{own.relayProtocol}} by TURN` : own.protocol;
    }}"""
    return str(page.evaluate(script))


@dataclass
class Router:
    """Stands between the visitor's browser and the relay, in a thread of its own."""

    nat: Nat
    loop: asyncio.AbstractEventLoop

    def ask(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def treat(self, **faults: float) -> None:
        self.ask(self.nat.treat(**faults))


@contextmanager
def router_to(system: System, seed: int) -> Iterator[Router]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = Router(Nat(("127.0.0.1", system.media_port), seed), loop)
    try:
        yield running
    finally:  # or the thread would keep the process that Ctrl-C is to end
        running.ask(running.nat.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(frozen=True)
class Coturn:
    port: int
    secret: str = "s3cret"

    @property
    def options(self) -> tuple[str, ...]:
        """Return the options of `visavis serve` for it."""
        server = f"turn:127.0.0.1:{self.port}?transport="
        servers = ("--turn-server", f"{server}udp", "--turn-server", f"{server}tcp")
        return (*servers, "--turn-secret", self.secret)


@contextmanager
def coturn(directory: Path) -> Iterator[Coturn]:
    """A running one, on loopback, that takes our credentials and knows no user else."""
    server = Coturn(free_media_port())
    said = directory / "coturn.log"
    command = ["turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--simple-log"]
    command += ["--use-auth-secret", f"--static-auth-secret={server.secret}", "--realm=visavis"]
    command += ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"]
    command += [f"--listening-port={server.port}", f"--userdb={directory / 'turndb'}"]
    command += [f"--pidfile={directory / 'coturn.pid'}", f"--log-file={said}"]
    process = Popen(command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        eventually(lambda: listens(server.port))
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)
