"""Cost of relaying beside Janus VideoRoom and rtpengine, and the calls that a core carries.

A call is two browsers' worth of VP8-like video, 1.03 Mbit/s in 140 packets a second, and Opus, 50
packets a second, each way, with RTCP. The packets of a frame leave a browser at once, as Chromium
sends them, and come as far apart as its uplink lets them. The generator's calls are real to the
relays: ICE, DTLS and SRTP; it counts every packet that does not arrive. Each relay has one core,
the generator another. Rounds alternate between the relays, each started again; a ratio is the
median of the rounds. CPU is that of the relay's process and includes the kernel's work for it.

Then each relay is given twice as many calls, and twice as many again, until packets are lost, or
one in a hundred is late by more than 20 ms, twice in a row, and the number is narrowed down to ten.
It is held to `--cores` of its core meanwhile (a control group), so that the generator is not the
limit. The number is "at least" so many when it was the generator that could not keep up, or
`--most` calls were carried.

It needs `janus` and `rtpengine-daemon` (`sh benchmarks/system-packages`), a C compiler, two cores,
and makes a network namespace of its own (as root, or where users may make them).

Exits with 1 when a limit is missed: of CPU per call, of delay, or of the most calls.

    python -m benchmarks.relay [--calls 10 30 100] [--rounds 5] [--seconds 8] [--uplink 20]
                              [--most 400] [--cores 0.4]
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.relays.comparison import (
    OURS,
    RELAYS,
    Limits,
    compare,
    print_delays,
    print_ratios,
    print_table,
    read_options,
)
from benchmarks.relays.most import Most, most_without_loss
from benchmarks.relays.network import enter_network
from benchmarks.relays.server import use_generator_core

LIMITS: Limits = {
    "Janus VideoRoom": {30: 0.33},
    "rtpengine": {30: 0.66, 100: 0.55},
}
P50_MS, P99_MS = 0.35, 1.5
MOST = {"Janus VideoRoom": 4, "rtpengine": 2}
"""So many times their calls ours has to carry."""


def main() -> int:
    most = {"type": int, "default": 400, "help": "calls to try; 0 does not look for the most"}
    cores = {"type": float, "default": 0.4, "help": "of the relays when the most are looked for"}
    options = read_options(__doc__, most=most, cores=cores)
    enter_network("benchmarks.relay")
    use_generator_core()
    results = compare(options.calls, options.rounds, options.seconds, uplink=options.uplink)
    print_table(results)
    kept = [print_ratios(results, LIMITS), print_delays(results, P50_MS, P99_MS)]
    if options.most:
        kept.append(_print_most(options))
    return 0 if all(kept) else 1


def _print_most(options: argparse.Namespace) -> bool:
    """Print how many calls each relay carries; return whether ours carries enough more."""
    on = f"{options.cores} of a core" if options.cores else "one core"
    print(f"\n| relay | most calls without loss, p99 at most 20 ms, on {on} |\n|---|---|")
    found: dict[str, Most] = {}
    for name in RELAYS:
        found[name] = most_without_loss(
            name, options.most, options.seconds, options.uplink, options.cores
        )
        print(f"| {name} | {found[name]} |")
    return all(found[OURS].calls >= times * found[peer].calls for peer, times in MOST.items())


if __name__ == "__main__":
    sys.exit(main())
