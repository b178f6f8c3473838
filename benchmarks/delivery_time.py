"""Time from hanging up to the delivery of the recording, in seconds, and its CPU time.

Runs `visavis serve` with the built-in archive and automatic recording. A visitor and an agent
(without browsers, but with real signalling, ICE, DTLS and SRTP) talk for three seconds. The minutes
before are a synthetic journal of two-way VP8 and Opus, 1.03 Mbit/s in each direction, 382 packets
per second, whose arrival times end where the real ones begin. It is added to the recording during
the call, as the journal of an earlier bridge.

The clock starts when the visitor hangs up. The recording is `made` when the file and its checksum
are on disk, and `delivered` when it has been removed from the spool: then the archive has
acknowledged the whole file and its SHA-256, synced to disk. CPU is that of the recorder and its
muxer, without the archive.

Making the file includes the start of the muxer, the checksum and the recorder's own work. The cost
of muxing alone, and its limit, are measured by `benchmarks/muxing.py`.

    python benchmarks/delivery_time.py [--minutes 1 30] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from benchmarks.muxing import FEEDBACK_EVERY, FPS, frame  # noqa: E402
from tests.participants.people import Agent, Visitor, present  # noqa: E402
from tests.running import System, children, ffprobe  # noqa: E402
from tests.synthetic.call import Browser, Journal  # noqa: E402
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG  # noqa: E402
from visavis.domain.recording import DELIVERY, journal_name  # noqa: E402
from visavis.spool.format import (  # noqa: E402
    MAGIC,
    RecordKind,
    encode_block,
    encode_record,
)

TALK_SECONDS = 3.0
PER_BLOCK = 200
LOOK_SECONDS = 0.01
HEADER = (
    "minutes       MB    made s  delivered s  making CPU s  delivering CPU s  making per minute"
)
OFFSETS = {VISITOR_LEG: 2.5, AGENT_LEG: -0.4}
"""Seconds by which the participants' clocks are ahead of ours."""

SoundOrPicture = tuple[int, str]
Records = list[tuple[float, RecordKind, int, bytes]]


class SyntheticMinutes:
    """Writes the minutes before the real call into a journal, minute by minute."""

    def __init__(self) -> None:
        self._sequences: dict[SoundOrPicture, int] = {}

    def write(self, path: Path, minutes: int) -> None:
        begin = time.time() - 60 * minutes
        late: Records = []
        with path.open("wb") as file:
            file.write(MAGIC)
            for minute in range(minutes):
                records = sorted(late + self._minute(minute), key=lambda record: record[0])
                end = 60.0 * (minute + 1)
                late = [record for record in records if record[0] >= end]
                _append(file, begin, [record for record in records if record[0] < end])

    def _minute(self, minute: int) -> Records:
        journal = Journal()
        if minute == 0:
            journal.describe()
        for leg, offset in OFFSETS.items():
            browser = Browser(journal, leg, offset=offset)
            self._send(browser, leg, "OPUS", minute)
            self._send(browser, leg, "VP8", minute)
            for number in range(round(60 / FEEDBACK_EVERY)):
                at = 60 * minute + number * FEEDBACK_EVERY + 0.001
                feedback = bytes([0x8F, 205, 0, 7]) + bytes(28)
                journal.records.append((at, RecordKind.RTCP, leg, feedback))
        return journal.records

    def _send(self, browser: Browser, leg: int, codec: str, minute: int) -> None:
        before = _packets(browser.journal)
        sequence = self._sequences.setdefault((leg, codec), 0)
        if codec == "OPUS":
            frames = [(number * 0.02, b"\x78" + bytes(79)) for number in range(3000)]
            ssrc, mid = leg * 10, "0"
        else:
            frames = [(number / FPS, frame(number)) for number in range(60 * FPS)]
            ssrc, mid = leg * 10 + 5, "1"
        browser.send(codec, frames, start=60.0 * minute, ssrc=ssrc, mid=mid, sequence=sequence)
        sent = _packets(browser.journal) - before
        self._sequences[leg, codec] = (sequence + sent) % 2**16


def _packets(journal: Journal) -> int:
    return sum(kind is RecordKind.RTP for _, kind, _, _ in journal.records)


def _append(file: BinaryIO, begin: float, records: Records) -> None:
    encoded = [
        encode_record(round((begin + at) * 1e6), kind, leg, data) for at, kind, leg, data in records
    ]
    blocks = (encoded[start : start + PER_BLOCK] for start in range(0, len(encoded), PER_BLOCK))
    file.writelines(encode_block(b"".join(block)) for block in blocks)


@dataclass
class Outcome:
    """Result: seconds since the visitor hung up, CPU-seconds, and the file's duration and size."""

    made: float
    delivered: float
    making: float
    delivering: float
    duration: float
    size: int


async def record(system: System, past: Path) -> Outcome:
    url = system.url.replace("http", "ws", 1)
    agent = Agent(f"{url}/signaling/agent", system.token())
    visitor = Visitor(f"{url}/signaling/visitor?site=1")
    async with present(agent, visitor):
        await agent.is_open.wait()
        await visitor.call("Somebody")
        async with asyncio.timeout(20):
            await visitor.is_connected.wait()
        await asyncio.sleep(TALK_SECONDS)
        (directory,) = [path for path in system.spool.iterdir() if not path.name.startswith(".")]
        past.rename(directory / journal_name(0))
        recorder = system.pid_of("recorder")
        cpus, began = [family_cpu(recorder)], time.perf_counter()
        await visitor.hang_up()
        made = await _until(lambda: (directory / DELIVERY).exists() or not directory.exists())
        cpus.append(family_cpu(recorder))
        delivered = await _until(lambda: not directory.exists())
        cpus.append(family_cpu(recorder))
    file = system.archived(directory.name)
    duration = float(ffprobe(file)["format"]["duration"])
    making, delivering = (after - before for before, after in pairwise(cpus))
    size = file.stat().st_size
    return Outcome(made - began, delivered - began, making, delivering, duration, size)


async def _until(holds: Callable[[], bool]) -> float:
    async with asyncio.timeout(600):
        while not holds():
            await asyncio.sleep(LOOK_SECONDS)
    return time.perf_counter()


def family_cpu(pid: int) -> float:
    """Return the CPU-seconds of a process and its children, both running and ended."""
    return sum(_cpu(one) for one in (pid, *children(pid)))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / 100  # utime, stime, cutime, cstime of proc(5)


def measure(system: System, minutes: int, rounds: int) -> None:
    outcomes = []
    for number in range(rounds):
        print(f"  {minutes} min, {number + 1} of {rounds} …", file=sys.stderr, flush=True)
        past = system.data / "past"
        SyntheticMinutes().write(past, minutes)
        outcome = asyncio.run(record(system, past))
        if outcome.duration < 60 * minutes:
            raise RuntimeError(f"the recording has only {outcome.duration} s")
        outcomes.append(outcome)
    made, delivered, making, delivering = (
        statistics.median(getattr(outcome, name) for outcome in outcomes)
        for name in ("made", "delivered", "making", "delivering")
    )
    per_minute = making / (outcomes[0].duration / 60)
    print(
        f"{minutes:7}{outcomes[0].size / 1e6:9.1f}{made:10.2f}{delivered:13.2f}"
        f"{making:14.2f}{delivering:18.2f}{per_minute:19.3f}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 30])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        system = System(Path(directory) / "data").start()
        try:
            system.configure(on=True, recording=True)
            print(HEADER, flush=True)
            for minutes in options.minutes:
                measure(system, minutes, options.rounds)
        finally:
            system.stop()
            shutil.rmtree(system.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
