"""Controllers of a media worker: the app processes that open its bridges.

Events of a bridge go to the controller that has opened it or taken it over. App processes of the
same machine are connected by the Unix socket, apps of other nodes by the bus.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from visavis.domain.leg import BridgeId
from visavis.media import control_protocol
from visavis.media.control_channel import LOCAL, FromWorker, write_frame

MAX_UNSENT_BYTES: Final = 1024 * 1024
"""An app that leaves this much unread is treated as hung."""


class Controller(Protocol):
    """The worker's side of a connection to an app process."""

    @property
    def is_connected(self) -> bool:
        """Whether the app process is heard."""

    def send(self, frame: FromWorker) -> None: ...
    def close(self) -> None: ...


class Controllers:
    """The controllers of one worker, by name, and the bridges that each of them controls."""

    def __init__(self) -> None:
        self._controllers: dict[str, Controller] = {}
        self._names: dict[BridgeId, str] = {}

    def attach(self, name: str, controller: Controller) -> None:
        """Add a controller; it replaces a former one of the same name, which is closed."""
        if former := self._controllers.get(name):
            former.close()
        self._controllers[name] = controller

    def detach(self, name: str, controller: Controller) -> None:
        """Remove a controller, unless another one has replaced it."""
        if self._controllers.get(name) is controller:
            del self._controllers[name]

    def assign(self, bridge: BridgeId, name: str) -> None:
        """Let this controller receive the events of a bridge."""
        self._names[bridge] = name

    def claim(self, bridge: BridgeId, name: str) -> None:
        """Let this controller have a bridge of another one, which is told."""
        former = self._names.get(bridge, LOCAL)
        if former != name and (controller := self._controllers.get(former)):
            controller.send(control_protocol.BridgeTaken(bridge))
        self.assign(bridge, name)

    def forget(self, bridge: BridgeId) -> None:
        """Forget a bridge that has been closed."""
        self._names.pop(bridge, None)

    def controls(self, name: str, bridge: BridgeId) -> bool:
        return self._names.get(bridge, LOCAL) == name

    def is_controlled(self, bridge: BridgeId) -> bool:
        """Whether the controller of a bridge is connected."""
        controller = self._controllers.get(self._names.get(bridge, LOCAL))
        return controller is not None and controller.is_connected

    @property
    def is_any_connected(self) -> bool:
        return any(controller.is_connected for controller in self._controllers.values())

    def send(self, event: control_protocol.Event) -> None:
        """Send an event to the controller of its bridge, or to all if it is about no bridge."""
        if isinstance(event, control_protocol.AboutBridge):
            name = self._names.get(event.bridge, LOCAL)
            if controller := self._controllers.get(name):
                controller.send(event)
        else:
            for controller in list(self._controllers.values()):
                controller.send(event)

    def close(self) -> None:
        for controller in self._controllers.values():
            controller.close()


class UnixController:
    """An app process of the same machine."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    @property
    def is_connected(self) -> bool:
        return not self._writer.is_closing()

    def send(self, frame: FromWorker) -> None:
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._writer.transport.abort()
        write_frame(self._writer, frame)

    def close(self) -> None:
        self._writer.close()
