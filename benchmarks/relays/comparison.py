"""Measuring of all relays in turn in each round, so that other load affects all of them."""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.generator import UPLINK, Counts, Generator
from benchmarks.relays.janus import Janus
from benchmarks.relays.quota import cpu_quota
from benchmarks.relays.rtpengine import Rtpengine
from benchmarks.relays.server import Server
from benchmarks.relays.visavis import Visavis, VisavisPython

WARM_SECONDS = 2.0

OURS = Visavis.name
RELAYS: dict[str, type[Server]] = {
    relay.name: relay for relay in (Visavis, VisavisPython, Janus, Rtpengine)
}


@dataclass(frozen=True)
class Measured:
    """Result. `cpu` is that of the server in seconds, `generator_cpu` in per cent of its core.

    `packets_per_second` are those of a call.
    """

    calls: int
    cpu: float
    generator_cpu: float
    counts: Counts
    seconds: float
    megabytes: float
    packets_per_second: int

    @property
    def cpu_per_call(self) -> float:
        """CPU per call in per cent of a core, by the packets sent, as the generator may be late."""
        return 100 * self.cpu / (self.counts.sent / self.packets_per_second)


Limits = dict[str, dict[int, float]]
"""Limits of a ratio by peer, and by number of calls."""

Results = dict[tuple[str, int], list[Measured]]
"""Results by the relay's name and the number of calls."""


def read_options(
    description: str | None,
    calls: Sequence[int] = (10, 30, 100),
    rounds: int = 5,
    seconds: float = 8.0,
    **more: dict[str, Any],
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, nargs="+", default=list(calls))
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--uplink", type=float, default=UPLINK, help="of a browser, in Mbit/s")
    for name, settings in more.items():
        parser.add_argument(f"--{name}", **settings)
    options = parser.parse_args()
    options.calls.sort()
    return options


@contextlib.contextmanager
def running(
    name: str,
    *,
    is_recording: bool,
    uplink: float = UPLINK,
    tick: float = 0.0,
    cores: float = 0.0,
    scale: int = 1,
) -> Iterator[tuple[Server, Generator]]:
    """Start a relay, limited to `cores` of a core (0: no limit), and a generator for it."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        group = stack.enter_context(cpu_quota(cores)) if cores else None
        generator = Generator(uplink, tick, scale)
        stack.callback(generator.close)
        server = RELAYS[name](Path(directory), is_recording=is_recording, group=group)
        server.start()
        stack.callback(server.stop)
        yield server, generator


def measure(
    server: Server, generator: Generator, seconds: float, warm: float = WARM_SECONDS
) -> Measured:
    """Measure the CPU time and the losses of the running calls, after `warm` seconds."""
    generator.run(warm)
    generator.begin()
    recorded = server.recorded_bytes()
    began, cpu = time.monotonic(), server.cpu()
    generator_cpu = cpu_of(lambda: generator.run(seconds))
    cpu, took = server.cpu() - cpu, time.monotonic() - began
    recorded = server.recorded_bytes() - recorded
    counts = generator.end()
    packets = generator.packets_per_second
    return Measured(server.calls, cpu, generator_cpu, counts, took, recorded / 1e6, packets)


def cpu_of(run: Callable[[], object]) -> float:
    """Return the CPU time of this process while `run` runs, in per cent of a core."""
    began, cpu = time.monotonic(), time.process_time()
    run()
    return 100 * (time.process_time() - cpu) / (time.monotonic() - began)


def compare(
    calls: Sequence[int],
    rounds: int,
    seconds: float,
    *,
    is_recording: bool = False,
    uplink: float = UPLINK,
) -> Results:
    """Measure each relay with each number of calls in each round."""
    results: Results = defaultdict(list)
    for number in range(1, rounds + 1):
        for name in RELAYS:
            with running(name, is_recording=is_recording, uplink=uplink) as (server, generator):
                for wanted in calls:
                    server.add_calls(wanted - server.calls, generator)
                    measured = measure(server, generator, seconds)
                    results[name, wanted].append(measured)
                    tell(f"round {number}: {name}, {wanted} calls: {describe(measured)}")
    return results


def describe(measured: Measured) -> str:
    counts = measured.counts
    return (
        f"{measured.cpu_per_call:.2f} % of a core a call, {counts.lost} of {counts.sent} lost, "
        f"{counts.p50:.2f} ms (p99 {counts.p99:.2f}), {measured.megabytes:.1f} MB recorded, "
        f"generator {measured.generator_cpu:.0f} %"
    )


def tell(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def print_table(results: Results) -> None:
    print(
        "| relay | calls | CPU per call, % of a core | p50, ms | p99, ms | lost | MB/s recorded |"
    )
    print("|---|---|---|---|---|---|---|")
    for (name, calls), rounds in sorted(results.items(), key=lambda item: item[0][1]):
        figures = [
            f"{statistics.median(m.cpu_per_call for m in rounds):.2f}",
            f"{statistics.median(m.counts.p50 for m in rounds):.2f}",
            f"{statistics.median(m.counts.p99 for m in rounds):.2f}",
            f"{sum(m.counts.lost for m in rounds)} of {sum(m.counts.sent for m in rounds)}",
            f"{statistics.median(m.megabytes / m.seconds for m in rounds):.1f}",
        ]
        print(f"| {name} | {calls} |", " | ".join(figures), "|")


def ratio(results: Results, peer: str, calls: int) -> float:
    """Return our CPU per call divided by the peer's, as the median of the rounds' ratios."""
    pairs = zip(results[OURS, calls], results[peer, calls], strict=True)
    return statistics.median(ours.cpu_per_call / theirs.cpu_per_call for ours, theirs in pairs)


def print_ratios(results: Results, limits: Limits) -> bool:
    """Print our CPU relative to each peer, and our delay; return whether all limits are kept."""
    print("\n| ratio of CPU per call (median of the rounds) | calls | measured | limit |")
    print("|---|---|---|---|")
    kept = True
    for calls in sorted({calls for _, calls in results}):
        for peer, by_calls in limits.items():
            limit, measured = by_calls.get(calls), ratio(results, peer, calls)
            kept = kept and (limit is None or measured <= limit)
            print(f"| {OURS} / {peer} | {calls} | {measured:.2f} | {limit or ''} |")
    return kept


def print_delays(results: Results, p50: float, p99: float) -> bool:
    """Print the medians of our delays; return whether they are within the limits (ms)."""
    print("\n| added delay, ms | calls | p50 | limit | p99 | limit |\n|---|---|---|---|---|---|")
    kept = True
    for calls in sorted({calls for _, calls in results}):
        rounds = [measured.counts for measured in results[OURS, calls]]
        half = statistics.median(counts.p50 for counts in rounds)
        most = statistics.median(counts.p99 for counts in rounds)
        kept = kept and half <= p50 and most <= p99
        print(f"| {OURS} | {calls} | {half:.2f} | {p50} | {most:.2f} | {p99} |")
    return kept
