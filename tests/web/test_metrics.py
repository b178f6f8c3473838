"""The metrics of a node with several app processes, whichever of them answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from visavis.web.metrics import Gauge, Metrics, NodeMetrics
from visavis.web.request import METRICS

pytestmark = pytest.mark.anyio

ELSEWHERE = ("192.0.2.1", 1)


def metrics_of(calls: int) -> Metrics:
    return Metrics({"visavis_calls": Gauge("Calls", lambda: calls)})


def node(others: Mapping[int, Callable[[], Awaitable[bytes]]]) -> NodeMetrics:
    shared = {"visavis_bridges": Gauge("Bridges", lambda: 5)}
    return NodeMetrics(1, metrics_of(3), others, shared)


async def page_text(metrics: NodeMetrics, client: tuple[str, int] | None = ELSEWHERE) -> str:
    response = await metrics.show(Request({"type": "http", "client": client}))
    return bytes(response.body).decode()


async def test_each_process_has_its_label_and_each_family_one_place() -> None:
    METRICS.observe("GET", 200, 0.1)

    async def read() -> bytes:
        return metrics_of(4).text()

    text = await page_text(node({0: read}))
    assert 'visavis_calls{app="0"} 4.0\nvisavis_calls{app="1"} 3.0\n' in text
    assert 'visavis_app_up{app="0"} 1.0\nvisavis_app_up{app="1"} 1.0\n' in text
    assert "visavis_bridges 5.0\n" in text
    assert text.count("# TYPE visavis_calls gauge\n") == 1
    assert text.count("# TYPE visavis_http_requests_total counter\n") == 1
    assert text.count("# TYPE visavis_http_request_seconds histogram\n") == 1
    families = [family.name for family in text_string_to_metric_families(text)]
    assert len(families) == len(set(families))


async def test_a_process_that_does_not_answer_is_down() -> None:
    async def read() -> bytes:
        raise ConnectionRefusedError

    text = await page_text(node({0: read}))
    assert 'visavis_app_up{app="0"} 0.0\nvisavis_app_up{app="1"} 1.0\n' in text
    assert 'visavis_calls{app="1"} 3.0\n' in text
    assert 'visavis_calls{app="0"}' not in text


async def test_another_process_is_told_of_this_one_alone() -> None:
    async def read() -> bytes:
        raise AssertionError

    text = await page_text(node({0: read}), client=None)
    assert "visavis_calls 3.0\n" in text
    assert "visavis_bridges" not in text
