"""Time limits of a call."""

from __future__ import annotations

import msgspec

from visavis.domain.call_timings import CallTimings


def test_a_call_keeps_its_limits_in_a_snapshot() -> None:
    timings = CallTimings(ring=10, queue=0)
    stored = msgspec.msgpack.encode(timings)
    assert msgspec.msgpack.decode(stored, type=CallTimings) == timings
    assert (timings.connect, timings.resume, timings.join) == (30, 30, 3600)
