"""Cost of muxing a recording: CPU-seconds per minute of a call, and memory.

The journal is that of a two-way call with about 1.03 Mbit/s of VP8 and Opus in each direction and
382 packets per second, including RTCP. Its frames have the sizes and headers of real ones, as they
are not decoded. Muxing runs in its own process, whose CPU time is measured. The time of copying and
syncing the journal is printed too, as a measure of the machine.

Exits with 1 if the limit is exceeded: 0.3 CPU-seconds per minute of the call.

    python benchmarks/muxing.py [--minutes 5] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.synthetic.call import Browser, Journal  # noqa: E402
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG  # noqa: E402
from visavis.spool.format import RecordKind  # noqa: E402

MOST_SECONDS = 0.3
FPS = 30
FRAME_BYTES = 4000
KEY_FRAME_EVERY = 300
FEEDBACK_EVERY = 0.05

MUX = """
import json, re, sys, time
from datetime import UTC, datetime
from pathlib import Path
from visavis.domain.recording import Manifest
from visavis.recorder.mux.matroska import mux
directory = Path(sys.argv[1])
manifest = Manifest(recording_id="r", site_id=1, call_id="c", media="video", visitor_name="",
                    agent_name="", started_at=datetime.now(UTC))
begin, wall = time.process_time(), time.perf_counter()
muxed = mux(directory, manifest)
print(json.dumps({"cpu": time.process_time() - begin, "wall": time.perf_counter() - wall,
    "memory": int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024,
    "duration": muxed.duration, "size": muxed.path.stat().st_size}))
"""


def frame(number: int) -> bytes:
    """Return a VP8 frame with a valid header (RFC 6386 §9.1) and a realistic size."""
    if number % KEY_FRAME_EVERY:
        return b"\x11\0\0" + bytes(FRAME_BYTES)
    return b"\x10\0\0\x9d\x01\x2a\x80\x02\x68\x01" + bytes(5 * FRAME_BYTES)


def make_journal(directory: Path, minutes: float, *, is_lossy: bool = False) -> tuple[int, int]:
    """Write a journal; return its bytes and media packets. `is_lossy` drops every second packet."""
    journal = Journal()
    journal.describe()
    voice = [(number * 0.02, b"\x78" + bytes(79)) for number in range(round(minutes * 3000))]
    picture = [(number / FPS, frame(number)) for number in range(round(minutes * 60 * FPS))]
    for leg, offset in ((VISITOR_LEG, 2.5), (AGENT_LEG, -0.4)):
        browser = Browser(journal, leg, offset=offset)
        browser.send("OPUS", voice, ssrc=leg * 10, mid="0")
        browser.send("VP8", picture, ssrc=leg * 10 + 5, mid="1", encoding=0.01)
        for number in range(round(minutes * 60 / FEEDBACK_EVERY)):
            feedback = bytes([0x8F, 205, 0, 7]) + bytes(28)
            at = number * FEEDBACK_EVERY + 0.001
            journal.records.append((at, RecordKind.RTCP, leg, feedback))
    if is_lossy:
        journal.records = [
            record
            for record in journal.records
            if record[1] is not RecordKind.RTP or record[3][3] % 2 == 0
        ]
    packets = sum(record[1] is RecordKind.RTP for record in journal.records)
    return journal.write(directory, 1, is_sealed_at=minutes * 60).stat().st_size, packets


def measure(directory: Path) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}", "SVT_LOG": "1"}
    command = [sys.executable, "-c", MUX, str(directory)]
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    return dict(json.loads(done.stdout))


def measure_copy(directory: Path) -> float:
    begin = time.process_time()
    copy = shutil.copyfile(directory / "0001.journal", directory / "copy")
    with Path(copy).open("rb") as file:
        os.fsync(file.fileno())
    Path(copy).unlink()
    return time.process_time() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        size, packets = make_journal(directory, options.minutes)
        megabits = size * 8 / 1e6 / 2 / options.minutes / 60
        print(
            f"VP8, {options.minutes:g} min, {size / 1e6:.1f} MB of journal, "
            f"{packets / options.minutes / 60:.0f} media packets/s, {megabits:.2f} Mbit/s each way"
        )
        rounds = []
        for _ in range(options.rounds):
            copy = measure_copy(directory)
            result = measure(directory)
            rounds.append(result["cpu"] / options.minutes)
            print(
                f"  {rounds[-1]:.3f} CPU-s per call minute, {result['wall']:.2f} s in all, "
                f"peak {result['memory']:.0f} MB, copying the journal {copy:.3f} CPU-s"
            )
    with tempfile.TemporaryDirectory() as name:
        _, packets_left = make_journal(Path(name), options.minutes, is_lossy=True)
        lossy = measure(Path(name))
    median = statistics.median(rounds)
    print(
        f"every second packet missing: {lossy['cpu'] / options.minutes:.3f} CPU-s per call minute, "
        f"{lossy['cpu'] / packets_left / (median * options.minutes / packets):.2f} times as much "
        f"per packet, peak {lossy['memory']:.0f} MB"
    )
    print(f"median {median:.3f} CPU-seconds per call minute (limit {MOST_SECONDS})")
    return 0 if median <= MOST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
