"""A fake recording server that keeps uploads in memory and injects faults."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

ServerFault = Callable[["Handler"], None]


@dataclass
class SeenRequest:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class File:
    length: int
    metadata: dict[str, str]
    content: bytearray = field(default_factory=bytearray)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def owner(self) -> FakeRecordingServer:
        return cast(Any, self.server).owner  # type: ignore[no-any-return]

    def answer(self, status: int, headers: Mapping[str, str] = {}, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def perform(self) -> None:
        owner = self.owner
        owner.asked.append(SeenRequest(self.command, self.path, dict(self.headers.items())))
        if owner.faults and owner.faults[0][0] in {self.command, "any"}:
            self.close_connection = True
            owner.faults.popleft()[1](self)
            return
        getattr(self, f"tus_{self.command.lower()}")()

    do_OPTIONS = do_POST = do_HEAD = do_PATCH = do_DELETE = perform  # noqa: N815

    def tus_options(self) -> None:
        self.answer(204, self.owner.abilities)

    def tus_post(self) -> None:
        pairs = (pair.split(" ") for pair in self.headers["Upload-Metadata"].split(","))
        metadata = {key: base64.b64decode("".join(rest)).decode() for key, *rest in pairs}
        name = f"/files/{len(self.owner.files)}"
        self.owner.files[name] = File(int(self.headers["Upload-Length"]), metadata)
        self.answer(201, {"Location": self.owner.location(name)})

    def tus_head(self) -> None:
        if file := self.found():
            told = {"Upload-Offset": str(len(file.content)), "Upload-Length": str(file.length)}
            self.answer(200, told)

    def tus_patch(self) -> None:
        file = self.found()
        if file is None:
            return
        if int(self.headers["Content-Length"]) > self.owner.max_body:  # Like nginx.
            self.close_connection = True
            if self.owner.resets_large:
                self.connection.close()
                return
            self.answer(413)
            self.rfile.read(int(self.headers["Content-Length"]))
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Upload-Offset"] != str(len(file.content)):
            self.answer(409)
        elif not self.is_checked(body):
            self.answer(460)
        else:
            file.content += body
            self.answer(204, {"Upload-Offset": str(len(file.content))})

    def tus_delete(self) -> None:
        self.owner.files.pop(self.path, None)
        self.answer(204)

    def found(self) -> File | None:
        file = self.owner.files.get(self.path.partition("?")[0])
        if file is None:
            self.close_connection = True
            self.answer(404)
        return file

    def is_checked(self, body: bytes) -> bool:
        algorithm, _, digest = self.headers.get("Upload-Checksum", "").partition(" ")
        if not algorithm:
            return True
        return base64.b64encode(hashlib.new(algorithm, body).digest()).decode() == digest

    def log_message(self, *_: object) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: tests kill the client or cut the connection on purpose."""


class FakeRecordingServer:
    """Fake tus server. Each of `faults` handles one request of its method, or of any method."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.asked: list[SeenRequest] = []
        self.faults: deque[tuple[str, ServerFault]] = deque()
        self.abilities = {"Tus-Version": "1.0.0", "Tus-Extension": "creation,termination"}
        self.max_body = 2**63
        self.resets_large = False
        self.location: Callable[[str], str] = lambda name: name
        self._server = QuietServer(("127.0.0.1", 0), Handler)
        cast(Any, self._server).owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/files"

    @property
    def contents(self) -> list[bytes]:
        """Return the contents of the complete files."""
        return [bytes(f.content) for f in self.files.values() if len(f.content) == f.length]

    def methods(self) -> list[str]:
        return [asked.method for asked in self.asked]

    def offer_checksums(self, algorithms: str = "md5,sha1,sha256") -> None:
        self.abilities["Tus-Extension"] += ",checksum"
        self.abilities["Tus-Checksum-Algorithm"] = algorithms

    def misbehave(self, method: str, misdeed: ServerFault, times: int = 1) -> None:
        self.faults.extend([(method, misdeed)] * times)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answers(status: int, body: bytes = b"<html>hello</html>", **headers: str) -> ServerFault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def misdeed(handler: Handler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        handler.answer(status, named, body)

    return misdeed


def resets(handler: Handler) -> None:
    handler.connection.close()


def takes_half_and_resets(handler: Handler) -> None:
    """Keep half of a PATCH and reset the connection, like a network failure."""
    body = handler.rfile.read(int(handler.headers["Content-Length"]) // 2)
    handler.owner.files[handler.path].content += body
    handler.connection.close()


def takes_all_and_says_nothing(handler: Handler) -> None:
    """Store the request and send no response, as if the response were lost."""
    handler.owner.files[handler.path].content += handler.rfile.read(
        int(handler.headers["Content-Length"])
    )
    handler.connection.close()


def hangs(handler: Handler) -> None:
    """Send no response until the client closes the connection."""
    while handler.connection.recv(65536):
        pass


def drips(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(60):
        handler.wfile.write(b"X")
        time.sleep(0.05)


def floods(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x" * 65536)


def speaks_gibberish(handler: Handler) -> None:
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
