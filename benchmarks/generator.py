"""Number of calls that the load generator can drive without a relay.

The two browsers of a call are connected to each other directly: the generator encrypts, sends,
receives, decrypts and counts all packets, and answers the connectivity checks, on one core. If a
relay carries fewer calls than this, the generator is not the limit.

    python -m benchmarks.generator [--calls 100 200 300 400] [--seconds 8] [--uplink 20]
                                  [--tick 0.001]
"""

from __future__ import annotations

import secrets
import sys

from pylibsrtp import Policy

from benchmarks.load.generator import Generator
from benchmarks.load.transport import LoadTransport, Remote, srtp_session
from benchmarks.relays.comparison import WARM_SECONDS, cpu_of, read_options
from benchmarks.relays.most import GENERATOR_CPU, GENERATOR_PACE, TICK
from benchmarks.relays.server import use_generator_core

HOST = "127.0.0.1"
GCM = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
GCM_BYTES = 16 + 12


def main() -> int:
    tick = {"type": float, "default": TICK, "help": "seconds within which packets leave together"}
    options = read_options(__doc__, calls=(100, 200, 300, 400), tick=tick)
    use_generator_core()
    generator = Generator(options.uplink, options.tick)
    calls, is_able = 0, True
    print("| calls | sent, % of what was due | lost | p50, ms | p99, ms | CPU, % of a core |")
    print("|---|---|---|---|---|---|")
    for wanted in options.calls:
        while calls < wanted:
            add_call(generator)
            calls += 1
        generator.run(WARM_SECONDS)
        generator.begin()
        cpu = cpu_of(lambda: generator.run(options.seconds))
        counts = generator.end()
        pace = counts.sent / (calls * generator.packets_per_second * options.seconds)
        delays = f"{counts.p50:.2f} | {counts.p99:.2f}"
        print(f"| {calls} | {100 * pace:.0f} | {counts.lost} | {delays} | {cpu:.0f} |", flush=True)
        is_able = pace >= GENERATOR_PACE and cpu < GENERATOR_CPU and counts.lost == 0
    generator.close()
    return 0 if is_able else 1


def add_call(generator: Generator) -> None:
    """Add a call of two transports that are connected to each other."""
    one, other = LoadTransport(HOST), LoadTransport(HOST)
    for sender, receiver in ((one, other), (other, one)):
        key = secrets.token_bytes(GCM_BYTES)
        sender.outgoing = srtp_session(GCM, key, Policy.SSRC_ANY_OUTBOUND)
        receiver.incoming = srtp_session(GCM, key, Policy.SSRC_ANY_INBOUND)
        sender.reach(Remote(receiver.address, receiver.ufrag, receiver.pwd))
        sender.socket.setblocking(False)
    generator.add(one)
    generator.add(other)


if __name__ == "__main__":
    sys.exit(main())
