"""Cost of relaying and recording a call, beside Janus VideoRoom and rtpengine.

The calls and the way of measuring are those of `benchmarks.relay`. Ours writes its journal, synced
to disk twice a second; Janus's VideoRoom records every publisher's tracks as .mjr; rtpengine
writes a .pcap of every call, neither of which is synced. What each has written is told beside it.

Exits with 1 when a limit of the CPU per call in theirs is missed.

    python -m benchmarks.recording [--calls 10 30 100] [--rounds 5] [--seconds 8]
"""

from __future__ import annotations

import sys

from benchmarks.relays.comparison import Limits, compare, print_ratios, print_table, read_options
from benchmarks.relays.network import enter_network
from benchmarks.relays.server import use_generator_core

LIMITS: Limits = {
    "Janus VideoRoom": {30: 0.33},
    "rtpengine": {30: 0.66, 100: 0.55},
}


def main() -> int:
    options = read_options(__doc__)
    enter_network("benchmarks.recording")
    use_generator_core()
    results = compare(
        options.calls, options.rounds, options.seconds, is_recording=True, uplink=options.uplink
    )
    print_table(results)
    return 0 if print_ratios(results, LIMITS) else 1


if __name__ == "__main__":
    sys.exit(main())
