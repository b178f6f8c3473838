"""All settings of a site."""

from __future__ import annotations

from visavis.domain.call_timings import CallTimings
from visavis.domain.config import Config
from visavis.domain.distribution import RING_LIMIT
from visavis.domain.policy import RecordingPolicy
from visavis.domain.site_settings import SiteSettings


def test_limits_of_calls_are_those_of_the_policy() -> None:
    fresh = SiteSettings(Config(1), RecordingPolicy(1))
    assert (fresh.timings, fresh.ring_limit) == (CallTimings(), RING_LIMIT)
    timings = CallTimings(ring=90)
    changed = SiteSettings(Config(1), RecordingPolicy(1, timings=timings, ring_limit=None))
    assert (changed.timings, changed.ring_limit) == (timings, None)
