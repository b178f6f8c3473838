"""Connections between the app and a media worker, as the app sees them: transport and channel.

A channel carries the frames of `control_protocol` in both directions, each once and in order. Of
the two transports, `UnixTransport` is for the workers of the same machine, and
`bus_control.BusTransport` for those of other nodes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, Protocol

import msgspec

from visavis.local_socket import require_private_directory
from visavis.media import control_protocol
from visavis.media.control_protocol import LENGTH

FromWorker = control_protocol.Reply | control_protocol.Event

LOCAL: Final = ""
"""Name of the first app process of a machine."""

_DECODER: Final[msgspec.json.Decoder[FromWorker]] = msgspec.json.Decoder(FromWorker)


class ControlChannel(Protocol):
    """Connection to one process of a media worker."""

    def send(self, request: control_protocol.Request) -> None: ...
    async def receive(self) -> FromWorker:
        """Return the next frame.

        Raises `ConnectionError` when the worker has died, and `msgspec.MsgspecError` for an
        invalid frame.
        """

    def close(self) -> None: ...


class ControlTransport(Protocol):
    """Opens channels to one media worker; `name` is for the log."""

    @property
    def name(self) -> str: ...
    async def connect(self) -> ControlChannel:
        """Return a channel to the worker's present process; raises `OSError`."""


class UnixTransport:
    """Transport to a media worker of this machine.

    `app` is the name of this process among the app processes of the machine.
    """

    def __init__(self, socket: Path, app: str = LOCAL) -> None:
        self._socket = socket
        self._app = app

    @property
    def name(self) -> str:
        return self._socket.name

    async def connect(self) -> ControlChannel:
        require_private_directory(self._socket.parent)
        reader, writer = await asyncio.open_unix_connection(self._socket)
        write_frame(writer, control_protocol.Attach(self._app))
        return UnixChannel(reader, writer)


class UnixChannel:
    """Channel over a Unix stream socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, request: control_protocol.Request) -> None:
        write_frame(self._writer, request)

    async def receive(self) -> FromWorker:
        try:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            frame = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError(str(error)) from None
        return decode_from_worker(frame)

    def close(self) -> None:
        self._writer.close()


def decode_from_worker(frame: bytes | msgspec.Raw) -> FromWorker:
    """Decode a frame of a worker; raises `msgspec.MsgspecError`."""
    return _DECODER.decode(frame)


def write_frame(writer: asyncio.StreamWriter, frame: control_protocol.ControlFrame) -> None:
    """Write a frame with its length, unless the connection is being closed."""
    if not writer.is_closing():
        body = msgspec.json.encode(frame)
        writer.write(LENGTH.pack(len(body)) + body)
