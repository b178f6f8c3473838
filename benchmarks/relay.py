"""Cost of relaying beside Janus VideoRoom and rtpengine, and the calls that a core carries.

A call is two browsers' worth of VP8-like video, 1.03 Mbit/s in 140 packets a second, and Opus, 50
packets a second, each way, with RTCP. The packets of a frame leave a browser at once, as Chromium
sends them, and come as far apart as its uplink lets them. The generator's calls are real to the
relays: ICE, DTLS and SRTP; it counts every packet that does not arrive. Each relay has one core,
the generator another. Rounds alternate between the relays, each started again; a ratio is the
median of the rounds. CPU is that of the relay's process and includes the kernel's work for it.

Then each relay is given twice as many calls, and twice as many again, until packets are lost twice
in a row, and the number is narrowed down to ten. It is "at least" so many when it was the generator
that could not keep up, or `--most` calls were carried.

It needs `janus` and `rtpengine-daemon` (`sh benchmarks/system-packages`), a C compiler, two cores,
and makes a network namespace of its own (as root, or where users may make them).

Exits with 1 when a limit is missed: at most 0.45 times Janus's CPU per call, at most rtpengine's.

    python -m benchmarks.relay [--calls 10 30] [--rounds 5] [--seconds 8] [--uplink 20]
                              [--most 200]
"""

from __future__ import annotations

import sys

from benchmarks.relays.comparison import (
    RELAYS,
    compare,
    print_ratios,
    print_table,
    read_options,
)
from benchmarks.relays.most import most_without_loss
from benchmarks.relays.network import enter_network
from benchmarks.relays.server import use_generator_core

LIMITS = {"Janus VideoRoom": 0.45, "rtpengine": 1.0}


def main() -> int:
    most = {"type": int, "default": 200, "help": "calls on one core; 0 does not look for the most"}
    options = read_options(__doc__, most=most)
    enter_network("benchmarks.relay")
    use_generator_core()
    results = compare(options.calls, options.rounds, options.seconds, uplink=options.uplink)
    print_table(results)
    kept = print_ratios(results, LIMITS)
    if options.most:
        print("\n| relay | most calls without loss on one core |\n|---|---|")
        for name in RELAYS:
            found = most_without_loss(name, options.most, options.seconds, options.uplink)
            print(f"| {name} | {found} |")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
