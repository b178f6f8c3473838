"""The faults of a storm: each is there for some time and is mended, by whoever would do it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from time import sleep
from typing import Final

from tests.cluster.topology import Topology, kill_machine
from tests.running import System

CALM_SECONDS: Final = (1.0, 3.0)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """`inject` gets the number of the part that is meant, and returns when the fault is mended."""

    name: str
    family: str
    targets: Callable[[Topology], int]
    seconds: tuple[float, float]
    inject: Callable[[Topology, int, float], None]


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """`chance` is 0 to 1: which of the parts is meant. Another fault `comes_along` at once."""

    kind: FaultKind
    chance: float
    seconds: float
    calm_seconds: float
    comes_along: bool


def kill_process(node: System, part: str) -> None:
    with suppress(AssertionError, ProcessLookupError):  # it is being started again already
        node.kill_part(part)


def kill_app_process(topology: Topology, number: int, seconds: float) -> None:
    kill_process(topology.apps[number], "app")


def kill_media_process(topology: Topology, number: int, seconds: float) -> None:
    kill_process(topology.media[number], "media")


def kill_recorder(topology: Topology, number: int, seconds: float) -> None:
    kill_process(topology.media[number], "recorder")


def kill_app_node(topology: Topology, number: int, seconds: float) -> None:
    kill_node(topology.apps[number], seconds)


def kill_media_node(topology: Topology, number: int, seconds: float) -> None:
    kill_node(topology.media[number], seconds)


def kill_node(node: System, seconds: float) -> None:
    kill_machine(node)
    sleep(seconds)
    node.start()


def freeze_app(topology: Topology, number: int, seconds: float) -> None:
    try:
        pid = topology.apps[number].pid_of("app")
    except AssertionError:  # it is being started
        return
    os.kill(pid, signal.SIGSTOP)
    sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def stop_app_node(topology: Topology, number: int, seconds: float) -> None:
    topology.apps[number].end_by(signal.SIGTERM)
    sleep(seconds)
    topology.apps[number].start()


def kill_nats_server(topology: Topology, number: int, seconds: float) -> None:
    topology.nats.servers[number].kill()
    sleep(seconds)
    topology.nats.servers[number].start()


def cut_bus(topology: Topology, number: int, seconds: float) -> None:
    topology.network.cut()
    sleep(seconds)
    topology.network.mend()


def kill_primary(topology: Topology, number: int, seconds: float) -> None:
    topology.postgresql.lose_primary(seconds)


def kill_balancer(topology: Topology, number: int, seconds: float) -> None:
    topology.balancer.kill()
    sleep(seconds)
    topology.balancer.start()


def apps(topology: Topology) -> int:
    return len(topology.apps)


def media(topology: Topology) -> int:
    return len(topology.media)


def servers(topology: Topology) -> int:
    return len(topology.nats.servers)


def one(topology: Topology) -> int:
    return 1


KINDS: Final = (
    FaultKind("app process killed", "app", apps, (0.0, 0.0), kill_app_process),
    FaultKind("app node killed", "app", apps, (1.0, 4.0), kill_app_node),
    FaultKind("app frozen", "app", apps, (1.0, 8.0), freeze_app),
    FaultKind("app node stopped", "app", apps, (0.0, 2.0), stop_app_node),
    FaultKind("media process killed", "media", media, (0.0, 0.0), kill_media_process),
    FaultKind("media node killed", "media", media, (1.0, 4.0), kill_media_node),
    FaultKind("recorder killed", "media", media, (0.0, 0.0), kill_recorder),
    FaultKind("NATS server killed", "bus", servers, (1.0, 4.0), kill_nats_server),
    FaultKind("NATS cut off", "bus", one, (2.0, 8.0), cut_bus),
    FaultKind("PostgreSQL primary killed", "database", one, (0.5, 2.0), kill_primary),
    FaultKind("balancer killed", "balancer", one, (0.0, 1.0), kill_balancer),
)


def plan(seed: int, *, pairs: float = 0.0) -> Iterator[PlannedFault]:
    """Return the faults of a seed: every kind once, in any order, and again.

    `pairs` is the share of faults with which one of another family comes along.
    """
    random = Random(seed)
    while True:
        for kind in random.sample(KINDS, len(KINDS)):
            yield PlannedFault(
                kind,
                random.random(),
                random.uniform(*kind.seconds),
                random.uniform(*CALM_SECONDS),
                random.random() < pairs,
            )
