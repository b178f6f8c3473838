"""Cost of relaying and recording a call, compared with Janus VideoRoom and rtpengine.

The calls and the method are those of `benchmarks.relay`. Our worker writes its journals and syncs
them twice per second. Janus VideoRoom writes an .mjr file for each track of a publisher, and
rtpengine a .pcap file for each call; neither syncs them. The table has the megabytes per second
that each has written.

Exits with 1 if a limit of our CPU per call, relative to theirs, is exceeded.

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
