"""Pages of a simulated cluster: visitors who call, and agents who accept, at any node.

A page connects through the balancer to some node. It connects again when its socket is closed, and
resumes its call. It keeps the longest time for which it had to wait.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.services.calls.simulated_site import ANSWER, OFFER, without_video
from tests.simulation.nodes import Node, SimulatedCluster
from visavis.domain.errors import VisavisError
from visavis.domain.people import Agent, Visitor
from visavis.protocol import signaling
from visavis.services.presence import AgentSession
from visavis.services.topics import SOCKET_TOPIC, consoles_topic

OFFERED: Final = without_video(OFFER)
ANSWERED: Final = without_video(ANSWER)
LATENCY_SECONDS: Final = (0.01, 0.06)
"""One way between a page and its node."""
TO_NODE: Final = "to the node"
TO_PAGE: Final = "to the page"
NEXT_SECONDS: Final = 1e-6
"""Between the arrivals of two messages at least, since the loop does not order equal times."""
IN_CALL_PAUSE: Final = (0.0, 0.3)
IDLE_PAUSE: Final = (0.5, 5.0)


@dataclass
class Observations:
    """Everything that the pages of a simulation have seen.

    `silences` are the longest waits of the pages of calls, `lost` the calls that a page could not
    resume or that ended for a reason that is ours, `refusals` the other refused requests.
    """

    calls_placed: int = 0
    calls_connected: int = 0
    calls_ended: Counter[str] = field(default_factory=Counter)
    silences: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    lines_said: int = 0


class Socket:
    """The connection of a page at its node, where its messages are performed one by one.

    No message overtakes another in the same direction. `last_arrivals` are the times at which the
    last ones to the node and to the page arrive.
    """

    def __init__(self, page: Page, node: Node) -> None:
        self.page = page
        self.node = node
        self.id = f"{node.node_id}-{next(page.world.numbers)}"
        self.is_open = True
        self.is_busy = False
        self.messages: deque[Any] = deque()
        self.topics: tuple[str, ...] = ()
        self.last_arrivals = {TO_NODE: 0.0, TO_PAGE: 0.0}
        self.person: Any = page.person_at(self.id)
        page.world.sites[self.id] = page.site_id

    # At the node

    def open(self) -> None:
        self.node.process.spawn(self._serve())

    async def _serve(self) -> None:
        try:
            owner = await self.node.edge.arrive(self.id, self.page.site_id)
            if self.is_open:
                self._listen(owner)
            await self.page.admit(self)
        except VisavisError:
            self._close()
            return
        self._outside(self.page.opened)
        if self.is_open:
            await self.node.edge.until_moved(self.id, self.page.site_id)
            self._close()

    def _listen(self, owner: str) -> None:
        self.topics = (f"{SOCKET_TOPIC}{self.id}", *self.page.topics(owner))
        for topic in self.topics:
            self.node.bus.listen(topic, self.deliver)

    def _close(self) -> None:
        """Close the socket from the node's side."""
        self.end()
        self._outside(self.page.closed)

    def deliver(self, message: Any) -> None:
        self._outside(self.page.receive, message)

    def receive(self, message: Any) -> None:
        """Take a message of the page."""
        self.messages.append(message)
        if not self.is_busy and self.is_open:
            self.is_busy = True
            self.node.process.spawn(self._perform())

    async def _perform(self) -> None:
        while self.messages and self.is_open:
            message, error = self.messages.popleft(), None
            try:
                await self.page.perform(self, message)
            except VisavisError as refused:
                error = refused
            self._outside(self.page.answered, message, error)
        self.is_busy = False

    def end(self) -> None:
        """Handle the end of the connection."""
        if self.is_open:
            self.is_open = False
            self.page.world.sites.pop(self.id, None)
            for topic in self.topics:
                self.node.bus.stop_listening(topic, self.deliver)
            self.page.left(self)

    def _outside(self, callback: Callable[..., None], *args: Any) -> None:
        wait = self.latency(TO_PAGE)
        self.page.world.cluster.loop.after(wait, callback, self, *args, of=None)

    def latency(self, direction: str) -> float:
        """Return the seconds after which a message arrives that is sent now."""
        now = self.page.world.now
        arrival = now + self.page.world.random.uniform(*LATENCY_SECONDS)
        arrival = max(arrival, self.last_arrivals[direction] + NEXT_SECONDS)
        self.last_arrivals[direction] = arrival
        return arrival - now


class World:
    """All pages. `calm` stops new calls."""

    def __init__(self, cluster: SimulatedCluster, seed: int) -> None:
        self.cluster = cluster
        self.random = Random(seed + 1)
        self.seen = Observations()
        self.numbers = itertools.count()
        self.pages: dict[Page, None] = {}
        self.sites: dict[str, int] = {}

    @property
    def now(self) -> float:
        return self.cluster.loop.time()

    def after(self, seconds: float, callback: Callable[..., object], *args: Any) -> None:
        self.cluster.loop.after(seconds, callback, *args, of=None)

    def disconnect(self, node: Node, seconds: float) -> None:
        """Close the connections to a node after this time, as the balancer or its machine does."""
        for page in list(self.pages):
            if page.socket and page.socket.node is node:
                page.begin_wait()
                self.after(seconds, page.closed, page.socket)
                # the node notices that too, if it is running
                self.cluster.loop.after(seconds, page.socket.end, of=node.process)


class Page:
    """A page, connected to a node through `socket` unless it is about to connect again."""

    def __init__(self, world: World, site_id: int) -> None:
        self.world = world
        self.site_id = site_id
        self.socket: Socket | None = None
        self.is_ready = False
        self.is_gone = False
        self.call_id = ""
        self.waiting_since: float | None = None
        self.longest_wait = 0.0
        self.unanswered = 0
        self.resumes = 0
        world.pages[self] = None

    # Differences between the kinds of pages

    def topics(self, owner: str) -> tuple[str, ...]:
        """Return the topics of the site that this page follows at the node of its owner."""
        return ()

    def person_at(self, socket_id: str) -> Any: ...
    async def admit(self, socket: Socket) -> None: ...
    async def perform(self, socket: Socket, message: Any) -> None: ...
    def left(self, socket: Socket) -> None: ...
    def resume(self) -> None: ...
    def heard(self, message: Any) -> None: ...
    def refused(self, message: Any, error: VisavisError) -> None: ...

    # Connection

    def connect(self) -> None:
        if self.socket or self.is_gone:
            return
        nodes = [node for node in self.world.cluster.nodes.values() if node.is_at_balancer]
        node = self.world.random.choice(nodes)
        if not node.process.is_running or node.bus.is_closed:
            self.world.after(1.0, self.connect)
            return
        self.socket = Socket(self, node)
        wait = self.socket.latency(TO_NODE)
        self.world.cluster.loop.after(wait, self.socket.open, of=node.process)

    def opened(self, socket: Socket) -> None:
        if socket is self.socket:
            self.is_ready = True
            self.unanswered = 0
            self.resume()

    def closed(self, socket: Socket) -> None:
        if socket is not self.socket:
            return
        self.socket, self.is_ready = None, False
        if self.is_gone:
            return
        self.begin_wait()
        pause = IN_CALL_PAUSE if self.call_id else IDLE_PAUSE
        self.world.after(self.world.random.uniform(*pause), self.connect)

    def leave(self) -> None:
        """Close the page."""
        self.is_gone = True
        self.world.pages.pop(self, None)
        if self.socket:
            wait = self.socket.latency(TO_NODE)
            self.world.cluster.loop.after(wait, self.socket.end, of=self.socket.node.process)

    # Messages

    def send(self, message: Any) -> None:
        if self.socket and self.is_ready:
            self.begin_wait()
            self.unanswered += 1
            wait = self.socket.latency(TO_NODE)
            socket = self.socket
            self.world.cluster.loop.after(wait, socket.receive, message, of=socket.node.process)

    def answered(self, socket: Socket, message: Any, error: VisavisError | None) -> None:
        if socket is not self.socket:
            return
        self.unanswered -= 1
        if not self.unanswered:
            self.end_wait()
        if error:
            self.refused(message, error)

    def receive(self, socket: Socket, message: Any) -> None:
        if socket is self.socket:
            self.heard(message)

    def begin_wait(self) -> None:
        """Begin to wait for the node, if the page is in a call."""
        if self.call_id and self.waiting_since is None:
            self.waiting_since = self.world.now

    def end_wait(self) -> None:
        if self.waiting_since is not None:
            self.longest_wait = max(self.longest_wait, self.world.now - self.waiting_since)
            self.waiting_since = None


class AgentPage(Page):
    """The console of an agent, who accepts what rings after a moment."""

    def __init__(self, world: World, site_id: int, agent_id: int) -> None:
        self.agent = Agent(agent_id, site_id, "a@example.com", "Bo", is_administrator=True)
        self.has_media = False
        super().__init__(world, site_id)

    def topics(self, owner: str) -> tuple[str, ...]:
        return (consoles_topic(self.site_id, owner),)

    def person_at(self, socket_id: str) -> AgentSession:
        return AgentSession(socket_id, self.agent)

    async def admit(self, socket: Socket) -> None:
        await socket.node.edge.welcome(socket.person)
        if socket.is_open:
            socket.node.edge.agent_arrived(socket.person)

    async def perform(self, socket: Socket, message: Any) -> None:
        await socket.node.edge.from_agent(socket.person, message)

    def left(self, socket: Socket) -> None:
        socket.node.edge.agent_left(socket.person)

    def resume(self) -> None:
        if self.call_id:
            self.send(signaling.Resume(self.call_id, has_media=self.has_media))

    def heard(self, message: Any) -> None:
        match message:
            case signaling.Ring(call_id=call_id) if not self.call_id:
                wait = self.world.random.uniform(0.5, 2.0)
                self.world.after(wait, self._accept, call_id)
            case signaling.Mine(call_id=call_id):
                self.call_id = call_id
            case signaling.Offer(call_id=call_id, link=link):
                self.send(signaling.Answer(call_id, link, ANSWERED))
            case signaling.Linked(call_id=call_id) if call_id == self.call_id:
                self.has_media = True
            case signaling.Ended(call_id=call_id) if call_id == self.call_id:
                self._end()
            case _:
                pass

    def _accept(self, call_id: str) -> None:
        if not self.call_id:
            self.call_id = call_id
            self.send(signaling.Accept(call_id, "audio"))

    def refused(self, message: Any, error: VisavisError) -> None:
        if isinstance(message, signaling.Accept | signaling.Resume):
            self._end()  # a colleague was faster, or the call has ended

    def _end(self) -> None:
        self.end_wait()
        self.call_id, self.has_media = "", False


class VisitorPage(Page):
    """A visitor who places a call, talks and writes for some time, and hangs up."""

    def __init__(self, world: World, site_id: int, talk_seconds: float, lines: int) -> None:
        self.talk_seconds = talk_seconds
        self.lines = lines
        self.secret = ""
        self.is_placed = self.is_connected = self.has_hung_up = False
        self.placed_at = self.called_at = 0.0
        self.said: Counter[str] = Counter()
        self.on_finished: Callable[[], None] = lambda: None
        super().__init__(world, site_id)

    def person_at(self, socket_id: str) -> Visitor:
        return Visitor(socket_id, self.site_id)

    async def perform(self, socket: Socket, message: Any) -> None:
        await socket.node.edge.from_visitor(socket.person, message)

    def left(self, socket: Socket) -> None:
        socket.node.edge.visitor_left(socket.person)

    def resume(self) -> None:
        if self.call_id:
            self.send(signaling.Resume(self.call_id, self.secret, has_media=self.is_connected))
            if self.has_hung_up:
                self.send(signaling.HangUp(self.call_id))
        else:
            self.send(signaling.Here("/"))
            self._place()

    def _place(self) -> None:
        self.world.seen.calls_placed += not self.is_placed
        self.is_placed, self.placed_at = True, self.world.now
        self.send(signaling.PlaceCall("audio", OFFERED, "Ann"))

    def heard(self, message: Any) -> None:
        match message:
            case signaling.Calling(call_id=call_id, secret=secret):
                if self.call_id and self.call_id != call_id:
                    self.world.seen.violations.append(f"{call_id} is a second call of a page")
                self.call_id, self.secret = call_id, secret
                self.called_at = self.world.now
            case signaling.Connect(call_id=call_id, link=link) if call_id == self.call_id:
                self.send(signaling.Offer(call_id, link, OFFERED))
            case signaling.Linked() if not self.is_connected:
                self.is_connected = True
                self.world.seen.calls_connected += 1
                for number in range(self.lines):
                    wait = self.talk_seconds * (number + 1) / (self.lines + 1)
                    self.world.after(wait, self._say, f"{self.call_id}/{number}")
                self.world.after(self.talk_seconds, self._hang_up)
            case signaling.Said(text=text):
                self.said[text] += 1
                if self.said[text] > 1:
                    self.world.seen.violations.append(f"the line {text} was said twice")
            case signaling.Ended(call_id=call_id, reason=reason) if call_id == self.call_id:
                self.world.seen.calls_ended[reason] += 1
                if reason in {"failed", "shutDown"}:
                    self.world.seen.lost.append(f"{call_id} {reason} at {self.world.now:.1f} s")
                self._finish()
            case _:
                pass

    def _say(self, text: str) -> None:
        if not self.is_gone:
            self.world.seen.lines_said += 1
            self.send(signaling.Say(self.call_id, text))

    def _hang_up(self) -> None:
        if not self.is_gone:
            self.has_hung_up = True
            self.send(signaling.HangUp(self.call_id))

    def refused(self, message: Any, error: VisavisError) -> None:
        seen = self.world.seen
        if isinstance(message, signaling.Resume) and not self.has_hung_up:
            age = self.world.now - self.called_at
            text = f"{self.call_id} {error.code or error.kind.name} at {self.world.now:.1f} s"
            seen.lost.append(f"{text}, {age:.2f} s after it was placed")
            self._finish()
            return
        seen.refusals[f"{type(message).__name__} {error.code or error.kind.name}"] += 1
        if isinstance(message, signaling.PlaceCall | signaling.Resume):
            self._finish()

    def _finish(self) -> None:
        self.end_wait()
        self.world.seen.silences.append(self.longest_wait)
        self.call_id = ""
        self.leave()
        self.on_finished()
