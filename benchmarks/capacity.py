"""Number of calls per core, by the bit rate of their video, with and without recording.

The calls are those of `benchmarks.relay`, with no video, the same and twice the bit rate. Each
packet path relays the last number of `--calls`. The table has the CPU per call, and the number of
calls that would take 60 % of a core, which leaves room for bursts. This number is extrapolated;
`benchmarks.relay` measures how many calls are possible.

    python -m benchmarks.capacity [--calls 50] [--rounds 5] [--seconds 8]
"""

from __future__ import annotations

import statistics
import sys

from benchmarks.relays.comparison import measure, read_options, running, tell
from benchmarks.relays.network import enter_network
from benchmarks.relays.server import use_generator_core
from benchmarks.relays.visavis import Visavis, VisavisPython

PLANNED = 60.0
"""Planned load, in per cent of a core."""

STEP = 10
MEDIA = {0: "audio alone", 1: "1 Mbit/s of video each way", 2: "2 Mbit/s of video each way"}


def main() -> int:
    options = read_options(__doc__, calls=(50,))
    enter_network("benchmarks.capacity")
    use_generator_core()
    calls = options.calls[-1] if options.calls != [10, 30, 100] else 50
    print(
        "| media of a call | recorded | packet path | CPU per call, % of a core | calls at 60 % |"
    )
    print("|---|---|---|---|---|")
    for scale, media in MEDIA.items():
        for is_recording in (False, True):
            for name in (Visavis.name, VisavisPython.name):
                cpu = statistics.median(
                    _cpu_per_call(name, calls, options.seconds, scale, is_recording=is_recording)
                    for _ in range(options.rounds)
                )
                path = "native" if name == Visavis.name else "Python"
                recorded = "yes" if is_recording else "no"
                row = (media, recorded, path, f"{cpu:.2f}", f"{PLANNED / cpu:.0f}")
                print("|", *(f"{cell} |" for cell in row), flush=True)
    return 0


def _cpu_per_call(
    name: str, calls: int, seconds: float, scale: int, *, is_recording: bool
) -> float:
    with running(name, is_recording=is_recording, scale=scale) as (server, generator):
        while server.calls < calls:
            server.add_calls(min(STEP, calls - server.calls), generator)
            generator.run(0.2)
        measured = measure(server, generator, seconds)
    tell(f"{name}: {measured.counts.lost} of {measured.counts.sent} lost")
    return measured.cpu_per_call


if __name__ == "__main__":
    sys.exit(main())
