"""Cost of relaying a call, with all relays running at the same time and loaded in turn.

The calls are those of `benchmarks.relay`. Each relay has its calls from the beginning, and short
windows of load alternate between the relays. So other load on the machine, which changes from one
minute to the next, affects all of them. The other relays only answer connectivity checks.

    python -m benchmarks.windows [--calls 30] [--rounds 8] [--seconds 1.2] [--recorded 1]
                                 [--scale 0] [--relays Visavis "Janus VideoRoom"]

`--rounds` are the windows of each relay. `--scale 0` means calls of audio alone.
"""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict

from benchmarks.load.generator import Generator
from benchmarks.relays.comparison import (
    OURS,
    RELAYS,
    Results,
    describe,
    measure,
    print_table,
    ratio,
    read_options,
    running,
    tell,
)
from benchmarks.relays.network import enter_network
from benchmarks.relays.server import Server, use_generator_core

WARM_SECONDS = 0.3


def main() -> int:
    options = read_options(
        __doc__,
        calls=(30,),
        rounds=8,
        seconds=1.2,
        recorded={"type": int, "default": 0, "help": "1 to record the calls"},
        scale={"type": int, "default": 1, "help": "of the video's bit rate; 0 for audio alone"},
        relays={"nargs": "+", "default": list(RELAYS), "choices": list(RELAYS)},
    )
    enter_network("benchmarks.windows")
    use_generator_core()
    for calls in options.calls:
        with contextlib.ExitStack() as stack:
            loads: dict[str, tuple[Server, Generator]] = {}
            for name in options.relays:
                loads[name] = server, generator = stack.enter_context(
                    running(
                        name,
                        is_recording=bool(options.recorded),
                        uplink=options.uplink,
                        scale=options.scale,
                    )
                )
                server.add_calls(calls, generator)
                _keep_alive(loads)
            results = _alternate(loads, options.rounds, options.seconds)
        print_table(results)
        _print_ratios(results, calls)
    return 0


def _alternate(loads: dict[str, tuple[Server, Generator]], rounds: int, seconds: float) -> Results:
    results: Results = defaultdict(list)
    for number in range(1, rounds + 1):
        for name, (server, generator) in loads.items():
            _keep_alive(loads)
            measured = measure(server, generator, seconds, WARM_SECONDS)
            results[name, server.calls].append(measured)
            tell(f"window {number}: {name}, {server.calls} calls: {describe(measured)}")
    return results


def _keep_alive(loads: dict[str, tuple[Server, Generator]]) -> None:
    for _, generator in loads.values():
        generator.check()


def _print_ratios(results: Results, calls: int) -> None:
    if (OURS, calls) not in results:
        return
    print("\n| ratio of CPU per call (median of the windows) | calls | measured |\n|---|---|---|")
    for peer, _ in results:
        if peer != OURS:
            print(f"| {OURS} / {peer} | {calls} | {ratio(results, peer, calls):.2f} |")


if __name__ == "__main__":
    sys.exit(main())
