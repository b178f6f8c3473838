"""Metrics that nodes with an app and media nodes have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from visavis.disk_space import free_bytes, recording_count
from visavis.lifecycle import PartState
from visavis.media.limits import Limit
from visavis.media.worker_pool import WorkerPool
from visavis.settings import Settings
from visavis.web.metrics import Gauge


def media_gauges(media: WorkerPool) -> dict[str, Gauge]:
    """Return the metrics of the media workers to which this process is connected."""
    return {
        "visavis_media_workers": Gauge("Media workers that answer", lambda: media.living),
        "visavis_bridges": Gauge(
            "Bridges that these media workers carry", lambda: media.carried_bridges
        ),
        "visavis_media_native_paths": Gauge(
            "Media workers that relay by the native packet path", lambda: media.native_paths
        ),
        "visavis_media_events_dropped": Gauge(
            "Datagrams and reports that found the queues of the native packet paths full",
            lambda: media.events_dropped,
        ),
        "visavis_refused_datagrams": Gauge(
            "Datagrams of strangers that the media workers have refused since their start",
            lambda: media.refused_datagrams,
        ),
        "visavis_refused_media_connections": Gauge(
            "Media connections over TCP that the workers have closed because of a limit",
            lambda: media.refused_connections,
        ),
        "visavis_excessive_legs": Gauge(
            "Browsers that send far more than max_leg_megabits", lambda: media.excessive_legs
        ),
        "visavis_legs_limited": Gauge(
            "Browsers whose packets were dropped since the start because they sent too fast",
            lambda: media.limits_reached[Limit.RATE],
        ),
        "visavis_recordings_stopped_disk": Gauge(
            "Recordings stopped since the start because the disk was nearly full",
            lambda: media.limits_reached[Limit.DISK],
        ),
        "visavis_recordings_stopped_size": Gauge(
            "Recordings stopped since the start at their largest size or length",
            lambda: media.limits_reached[Limit.SIZE],
        ),
    }


def disk_gauges(settings: Settings) -> dict[str, Gauge]:
    """Return the metrics of this node's spool and disk."""
    return {
        "visavis_spool_recordings": Gauge(
            "Recordings on this machine that wait for their delivery or are being made",
            lambda: recording_count(settings.spool),
        ),
        "visavis_disk_free_bytes": Gauge(
            "Bytes that are free where recordings are kept", lambda: free_bytes(settings)
        ),
    }


def part_gauges(parts: Callable[[], Mapping[str, PartState]]) -> dict[str, Gauge]:
    """Return the metrics of this node's processes, whose states `parts` returns."""
    return {
        "visavis_part_restarts": Gauge(
            "Restarts of parts since the start",
            lambda: sum(state.restarts for state in parts().values()),
        ),
        "visavis_task_failures": Gauge(
            "Unexpected ends of background tasks in the parts that run",
            lambda: sum(sum(state.status.failures.values()) for state in parts().values()),
        ),
        "visavis_log_lines_dropped": Gauge(
            "Log lines that nobody could read, in the parts that run",
            lambda: sum(state.status.dropped_log_lines for state in parts().values()),
        ),
    }
