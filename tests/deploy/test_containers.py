"""Dockerfile, compose file and Helm chart in deploy/.

hadolint reads the Dockerfile, Docker Compose resolves its file, Helm renders the chart, and the
result is compared with the schemas of Kubernetes. No image is built and nothing is started.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import Chart, HelmError
from helm_python.chart import lint

from visavis import __version__
from visavis.cli.configuration import SETTINGS
from visavis.supervisor import STOP_SECONDS

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
CHART = DEPLOY / "helm/visavis"
KUBERNETES = ("1.27", "1.37")
LEAST: dict[str, Any] = {
    "image": {"repository": "registry.example/visavis"},
    "publicUrl": "https://chat.example.com",
}
MOST: dict[str, Any] = {
    **LEAST,
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {"stun_servers": ["stun:stun.example"], "rate_limit": 0, "log_format": "json"},
    "secretName": "visavis-secrets",
    "media": {"port": 9000, "workers": 3, "advertiseAddresses": ["203.0.113.7"]},
    "trustedProxies": ["10.0.0.0/8"],
    "persistence": {"size": "1Ti", "storageClass": "fast"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"example.com/a": "b"},
        "host": "chat.example.com",
        "tlsSecretName": "chat-tls",
    },
    "nodeSelector": {"example.com/media": "yes"},
    "tolerations": [{"key": "media", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "podAnnotations": {"prometheus.io/scrape": "true"},
}


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def compose_file(directory: Path) -> dict[str, Any]:
    """Return the compose file as Docker Compose resolves it with the example settings."""
    shutil.copytree(DEPLOY, directory / "deploy")
    shutil.copy(DEPLOY / "visavis.env.example", directory / "deploy/visavis.env")
    command = ["--file", str(directory / "deploy/compose.yaml"), "--profile", "*"]
    done = subprocess.run(
        [program("docker-compose"), *command, "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the chart's manifests by their kind."""
    with Chart.load(CHART) as chart:
        texts = chart.render(values, name="demo", namespace="visavis")
    found = [yaml.safe_load(text) for name, text in texts.items() if name.endswith(".yaml")]
    return {one["kind"]: one for one in found if one}


def settings_of(values: dict[str, Any]) -> dict[str, Any]:
    return tomllib.loads(rendered(values)["ConfigMap"]["data"]["visavis.toml"])


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = subprocess.run(
        [program("hadolint"), "--strict-labels", str(DEPLOY / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_what_the_image_is_built_from_exists() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    files = [name for line in copied for name in line.split()]
    assert {"src", "pyproject.toml", "hatch_build.py"} <= set(files)
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().split("!")[1:]
    for name in files:
        assert (ROOT / name).exists()
        assert any(Path(name).match(one.split()[0]) for one in allowed)


def test_docker_compose_understands_the_file(tmp_path: Path) -> None:
    services = compose_file(tmp_path)["services"]
    assert set(services) == {"visavis", "postgresql"}
    visavis = services["visavis"]
    assert visavis["network_mode"] == "host"  # browsers' addresses must not be translated
    assert visavis["stop_grace_period"] == "1m0s"
    assert 3 * STOP_SECONDS < 60
    known = {setting.variable for setting in SETTINGS}
    assert {*visavis["environment"], *re.findall(r"\bVISAVIS_\w+", DOCKERFILE)} <= known
    assert Path(visavis["build"]["dockerfile"]).name == "Dockerfile"


@pytest.mark.parametrize("values", [LEAST, MOST], ids=["least", "most"])
def test_the_chart_s_manifests_are_valid(values: dict[str, Any]) -> None:
    # here, since its import takes seconds of each process that collects the tests
    import kubernetes_validate

    found = rendered(values)
    for manifest in found.values():
        for version in KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)
    assert ("Ingress" in found) == (values is MOST)
    report = lint(CHART, values, strict=True)
    assert report["errors"] == []
    assert all(message["severity"] <= 1 for message in report["messages"]), report


def test_a_wrong_manifest_would_be_found() -> None:
    import kubernetes_validate

    manifest = rendered(LEAST)["StatefulSet"]
    manifest["spec"]["replica"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, KUBERNETES[-1], strict=True)


def test_the_chart_s_settings_are_visavis_settings() -> None:
    found = settings_of(MOST)
    assert found.keys() <= {setting.name for setting in SETTINGS}
    assert (found["media_port"], found["media_workers"]) == (9000, 3)
    assert (found["stun_servers"], found["rate_limit"]) == (["stun:stun.example"], 0)
    assert found["advertise_addresses"] == ["203.0.113.7"]
    assert found["trusted_proxies"] == ["10.0.0.0/8"]


def test_each_media_worker_has_its_ports_and_a_stop_has_its_time() -> None:
    pod = rendered(MOST)["StatefulSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    media = [
        (one["containerPort"], one["protocol"]) for one in container["ports"] if "protocol" in one
    ]
    assert sorted(media) == [(port, how) for port in (9000, 9001, 9002) for how in ("TCP", "UDP")]
    assert pod["hostNetwork"]
    assert pod["terminationGracePeriodSeconds"] > 3 * STOP_SECONDS
    assert container["envFrom"] == [{"secretRef": {"name": "visavis-secrets"}}]


def test_the_user_of_the_image_is_that_of_the_pod() -> None:
    security = rendered(LEAST)["StatefulSet"]["spec"]["template"]["spec"]["securityContext"]
    user = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert user
    assert user.groups() == (str(security["runAsUser"]), str(security["runAsGroup"]))


def test_the_chart_is_that_of_this_version() -> None:
    with Chart.load(CHART) as chart:
        assert chart.metadata["appVersion"] == __version__


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": {"repository": ""}},
        {"publicUrl": "https://chat.example.com/path"},
        {"media": {"port": 0, "workers": 1}},
        {"settings": {"port": 9090}},
        {"replicas": 2},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(HelmError):
        rendered({**LEAST, **wrong})
