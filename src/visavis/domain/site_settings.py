"""Everything that the administrators of a site can set."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.domain.call_timings import CallTimings
from visavis.domain.config import Config
from visavis.domain.policy import RecordingPolicy


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Settings of a site, as they apply to its calls.

    They have two REST resources, each with a version of its own: the configuration, which is
    compatible with the hosted product, and the policy, which has everything else.
    """

    config: Config
    policy: RecordingPolicy

    @property
    def timings(self) -> CallTimings:
        """Time limits of calls that begin from now on."""
        return self.policy.timings

    @property
    def ring_limit(self) -> int | None:
        """Number of agents at whom a call rings at first, `None` for all."""
        return self.policy.ring_limit
