"""The alerts and the dashboard in deploy/ use metrics that exist, and the alerts fire."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from visavis.web.request import HttpMetrics

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
ALERTS = (PROMETHEUS / "alerts.yml").read_text()
DASHBOARD = json.loads((ROOT / "deploy/grafana/visavis.json").read_text())
OTHERS = {"probe_success", "probe_ssl_earliest_cert_expiry"}
"""Metrics of the blackbox exporter (github.com/prometheus/blackbox_exporter)."""
NAMES = re.compile(r"\b(?:visavis|process|probe)_\w+")


def promtool(*arguments: str) -> None:
    program = shutil.which("promtool")
    assert program, "no promtool here: tests/system-packages installs it"
    done = subprocess.run(
        [program, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def gauges() -> set[str]:
    """Return the names of the gauges of nodes with an app and of media nodes."""
    sources = ("app.py", "gauges.py", "media_node.py")
    source = "".join((ROOT / "src/visavis" / name).read_text() for name in sources)
    return set(re.findall(r'"(visavis_\w+)": Gauge', source))


def known_metrics() -> set[str]:
    metrics = HttpMetrics()
    metrics.observe("GET", 200, 0.1)
    ours = {sample.name for metric in metrics.collect() for sample in metric.samples}
    standard = set(re.findall(r"^process_\w+", generate_latest().decode(), re.MULTILINE))
    return {*gauges(), *ours, *standard, *OTHERS}


def panels() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        if panel["type"] != "row":
            yield panel


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def test_prometheus_accepts_its_configuration_and_the_alerts() -> None:
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    promtool("check", "rules", "--lint-fatal", "alerts.yml")


def test_each_alert_fires_and_none_while_all_is_well() -> None:
    names = re.findall(r"- alert: (\w+)", ALERTS)
    tested = re.findall(
        r"- name: (\w+)$", (PROMETHEUS / "alerts_test.yml").read_text(), re.MULTILINE
    )
    assert tested == names
    promtool("test", "rules", "alerts_test.yml")


def test_the_alerts_use_metrics_that_exist() -> None:
    assert set(NAMES.findall(ALERTS)) <= known_metrics()


def test_each_alert_says_what_to_do_and_where_to_read_more() -> None:
    for rule in ALERTS.split("- alert: ")[1:]:
        assert "description: >-" in rule
        document, _, place = rule.partition("runbook: ")[2].split()[0].partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / document).read_text(), re.MULTILINE)
        assert place in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


def test_the_dashboard_shows_every_metric_of_ours_and_no_other() -> None:
    shown = {name for one in expressions() for name in NAMES.findall(one)}
    assert shown <= known_metrics()
    assert gauges() <= shown


def test_the_dashboard_s_expressions_are_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": one.replace("$__rate_interval", "5m")}
        for number, one in enumerate(expressions())
    ]
    file = tmp_path / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(file))


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    cells = [
        (place["x"] + x, place["y"] + y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["w"])
        for y in range(place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
