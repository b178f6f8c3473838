"""Cost of relaying, compared with Janus VideoRoom and rtpengine, and number of calls per core.

Each of the two browsers of a call sends VP8-like video, 1.03 Mbit/s in 140 packets per second, and
Opus in 50 packets per second, with RTCP. A browser sends the packets of a frame at once, like
Chromium, and its uplink spaces them. The generator uses real ICE, DTLS and SRTP, and counts each
packet that does not arrive. Each relay has one core, and the generator another. Rounds alternate
between the relays, which are restarted for each; a ratio is the median of the rounds' ratios. CPU
is that of the relay's process, including the kernel's work for it.

Then the number of calls of each relay is doubled until, twice in a row, packets are lost or one in
a hundred is late by more than 20 ms. The highest number without this is narrowed down in steps of
ten. Meanwhile, a control group limits the relay to `--cores` of its core, so that the generator is
not the limit. The number is given as "at least" if the generator could not keep up, or if the relay
carried `--most` calls.

This needs `janus` and `rtpengine-daemon` (`sh benchmarks/system-packages`), a C compiler, two
cores, and the permission to create a network namespace.

Exits with 1 if a limit is missed: of CPU per call, of delay, or of the number of calls.

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
"""Our relay must carry this many times the calls of the peer."""


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
    """Print how many calls each relay carries; return whether ours carries enough."""
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
