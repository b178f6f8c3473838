"""Number of calls that a relay carries before it loses packets or delays them too much."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.load.generator import Generator
from benchmarks.relays.comparison import describe, measure, running, tell
from benchmarks.relays.server import Server

STEP = 10
MAX_P99_MS = 20.0
TICK = 0.001
"""Datagrams due within this many seconds are sent at once, so the generator can send more."""

TRIES = 2
"""A loss may be caused by other load, so it counts only if it happens again."""

SETTLE_SECONDS = 0.3
"""The connected calls continue while others are added."""

GENERATOR_CPU = 95.0
GENERATOR_PACE = 0.97
"""Limits beyond which the generator itself may cause losses.

It then uses more than `GENERATOR_CPU` per cent of its core, or sends less than the share
`GENERATOR_PACE` of the packets that are due.
"""


@dataclass(frozen=True)
class Most:
    """Highest number of calls; a lower bound if not `is_whole`, as more could not be tried."""

    calls: int
    is_whole: bool

    def __str__(self) -> str:
        return str(self.calls) if self.is_whole else f"at least {self.calls}"


@dataclass(frozen=True)
class Attempt:
    is_carried: bool
    is_generator_able: bool


NOTHING = Attempt(is_carried=True, is_generator_able=True)
NOT_TRIED = Attempt(is_carried=False, is_generator_able=False)


def most_without_loss(
    name: str, most: int, seconds: float, uplink: float, cores: float = 0.0
) -> Most:
    """Double the calls until packets are lost or late, then search between to within `STEP`.

    `cores` limits the relay's process to a share of the core to which it is bound; 0 is no limit.
    """
    carried, too_many = 0, most + STEP
    last = {carried: NOTHING, too_many: NOT_TRIED}
    calls = min(STEP, most)
    while too_many - carried > STEP:
        last[calls] = _try(name, calls, seconds, uplink, cores)
        if last[calls].is_carried:
            carried = calls
        else:
            too_many = calls
        is_doubling = too_many > most
        calls = min(2 * calls, most) if is_doubling else _middle(carried, too_many)
    is_whole = last[carried].is_generator_able and last[too_many].is_generator_able
    return Most(carried, is_whole)


def _middle(carried: int, too_many: int) -> int:
    return carried + (too_many - carried) // (2 * STEP) * STEP


def _try(name: str, calls: int, seconds: float, uplink: float, cores: float) -> Attempt:
    is_generator_able = True
    with running(name, is_recording=False, uplink=uplink, tick=TICK, cores=cores) as (
        server,
        generator,
    ):
        while server.calls < calls:
            server.add_calls(min(STEP, calls - server.calls), generator)
            generator.run(SETTLE_SECONDS)
        for _ in range(TRIES):
            attempt = _attempt(server, generator, seconds)
            is_generator_able = is_generator_able and attempt.is_generator_able
            if attempt.is_carried:
                return attempt
    return Attempt(is_carried=False, is_generator_able=is_generator_able)


def _attempt(server: Server, generator: Generator, seconds: float) -> Attempt:
    measured = measure(server, generator, seconds)
    tell(f"{server.name}, {server.calls} calls: {describe(measured)}")
    is_in_time = (
        measured.counts.sent
        >= GENERATOR_PACE * server.calls * measured.packets_per_second * seconds
    )
    return Attempt(
        is_carried=is_in_time and measured.counts.lost == 0 and measured.counts.p99 <= MAX_P99_MS,
        is_generator_able=is_in_time and measured.generator_cpu < GENERATOR_CPU,
    )
