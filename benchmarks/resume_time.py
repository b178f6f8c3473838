"""Time until both pages of a call have resumed it after `kill -9` of the app process, in seconds.

Runs `visavis serve` on SQLite with one recorded call of a visitor and an agent without browsers,
but with real signalling, ICE, DTLS and SRTP. Each round kills the app; the clock starts there and
stops at each page's `callState`. Packets that a page has missed are counted by their sequence
numbers, as the media worker continues.

Exits with 1 if a limit is missed: both pages within 5 seconds, and no missed packet.

    python -m benchmarks.resume_time [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.participants.people import present
from tests.participants.resuming import Pages, agent_tokens, until
from tests.running import System

LIMIT_SECONDS: Final = 5.0
TALK_SECONDS: Final = 3.0


async def measure(system: System, rounds: int) -> tuple[list[float], int]:
    """Return the seconds of each page and round, and the longest run of missed packets."""
    office = Pages(system, await asyncio.to_thread(agent_tokens, system, "bo"))
    agent, visitor = office.agent("bo"), office.visitor()
    async with present(agent, visitor):
        await agent.is_on_duty.wait()
        await visitor.call("Ann")
        await visitor.is_connected.wait()
        await agent.is_connected.wait()
        for number in range(1, rounds + 1):
            await asyncio.sleep(TALK_SECONDS)
            await office.kill_app()
            await until(lambda n=number: min(len(visitor.waits), len(agent.waits)) == n)
            print(
                f"round {number}: visitor {visitor.waits[-1]:.2f} s, agent {agent.waits[-1]:.2f} s"
            )
        await asyncio.sleep(TALK_SECONDS)
        missed = max(visitor.longest_gap, agent.longest_gap)
        await visitor.hang_up()
        await visitor.is_over.wait()
    return visitor.waits + agent.waits, missed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        system = System(Path(directory) / "data").start()
        try:
            system.configure(on=True, recording=True)
            waits, missed = asyncio.run(measure(system, options.rounds))
        finally:
            system.stop()
    print(
        f"resumed after {statistics.median(waits):.2f} s (median), {max(waits):.2f} s (longest, "
        f"limit {LIMIT_SECONDS:.0f} s); longest run of missed packets {missed} (limit 0)"
    )
    return 0 if max(waits) <= LIMIT_SECONDS and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
