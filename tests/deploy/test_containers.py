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
from visavis.cli.configuration import SETTINGS, load_settings
from visavis.cli.serve import require_cluster
from visavis.settings import Settings
from visavis.supervisor import DRAIN_SECONDS, STOP_SECONDS

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

CLUSTER: dict[str, Any] = {**MOST, "mediaNodes": {"replicas": 3, "nodeSelector": {"media": "yes"}}}


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def compose_file(directory: Path, name: str = "compose.yaml") -> dict[str, Any]:
    """Return a compose file as Docker Compose resolves it with the example settings."""
    shutil.copytree(DEPLOY, directory / "deploy")
    for example in ("visavis.env", "visavis-cluster.env"):
        shutil.copy(DEPLOY / f"{example}.example", directory / "deploy" / example)
    command = ["--file", str(directory / "deploy" / name), "--profile", "*"]
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
    """Return the chart's manifests by their kind, and the second of a kind as `kind/name`."""
    with Chart.load(CHART) as chart:
        texts = chart.render(values, name="demo", namespace="visavis")
    found = [yaml.safe_load(text) for name, text in texts.items() if name.endswith(".yaml")]
    manifests: dict[str, dict[str, Any]] = {}
    for one in sorted(filter(None, found), key=lambda one: len(one["metadata"]["name"])):
        name = one["metadata"]["name"]
        manifests[f"{one['kind']}/{name}" if one["kind"] in manifests else one["kind"]] = one
    return manifests


def settings_of(values: dict[str, Any], name: str = "visavis.toml") -> dict[str, Any]:
    return tomllib.loads(rendered(values)["ConfigMap"]["data"][name])


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


def test_docker_compose_understands_the_file_of_a_cluster(tmp_path: Path) -> None:
    services = compose_file(tmp_path, "compose.cluster.yaml")["services"]
    assert set(services) == {"app", "media1", "media2", "postgresql", "nats", "storage"}
    used = set[str]()
    for name in ("app", "media1", "media2"):
        node = services[name]
        settings = Settings(**load_settings({}, node["environment"], None))
        assert settings.is_media_node is (name != "app")
        require_cluster(settings)
        assert node["network_mode"] == "host"
        assert node["stop_grace_period"] == "2m0s"
        assert {*node["environment"]} <= {setting.variable for setting in SETTINGS}
        if settings.is_media_node:
            addresses = {settings.recorder_address, settings.metrics_address}
            ports = {f"media {settings.media_port}"}
            assert not used & (addresses | ports)
            used |= addresses | ports
            assert f"http://{settings.metrics_address}/healthz" in node["healthcheck"]["test"][-1]
    assert 2 * DRAIN_SECONDS < 120
    environment = services["app"]["environment"]
    for service, secret in (
        ("postgresql", "POSTGRES_PASSWORD"),
        ("nats", "NATS_PASSWORD"),
        ("storage", "AWS_SECRET_ACCESS_KEY"),
    ):
        assert services[service]["environment"][secret] in str(environment)


@pytest.mark.parametrize("values", [LEAST, MOST, CLUSTER], ids=["least", "most", "cluster"])
def test_the_chart_s_manifests_are_valid(values: dict[str, Any]) -> None:
    # here, since its import takes seconds of each process that collects the tests
    import kubernetes_validate

    found = rendered(values)
    for manifest in found.values():
        for version in KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)
    assert ("Ingress" in found) == (values is not LEAST)
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


def test_media_nodes_have_the_media_and_the_other_pod_has_the_app() -> None:
    found = rendered(CLUSTER)
    app, media = found["StatefulSet"], found["StatefulSet/demo-visavis-media"]
    assert media["spec"]["replicas"] == 3
    pod, other = media["spec"]["template"]["spec"], app["spec"]["template"]["spec"]
    assert pod["hostNetwork"]
    assert "hostNetwork" not in other
    assert pod["terminationGracePeriodSeconds"] > 2 * DRAIN_SECONDS
    assert [one["name"] for one in other["containers"][0]["ports"]] == ["http"]
    (container,) = pod["containers"]
    assert {"media-udp-2", "media-tcp-2", "metrics", "recorder"} <= {
        one["name"] for one in container["ports"]
    }
    service, labels = found["Service"], media["spec"]["template"]["metadata"]["labels"]
    assert not service["spec"]["selector"].items() <= labels.items()
    secrets = {"VISAVIS_DATABASE": "postgresql://db/visavis", "VISAVIS_BUS": "nats://n1"}
    variables = {one["name"]: one.get("value", "10.0.0.7") for one in container["env"]}
    host = variables.pop("HOST_IP")
    given = {name: value.replace("$(HOST_IP)", host) for name, value in variables.items()}
    for name, environment, roles in (
        ("visavis.toml", secrets, "app"),
        ("media.toml", {**secrets, **given}, "media,recorder"),
    ):
        options = {
            key: str(value) for key, value in settings_of(CLUSTER, name).items() if key == "roles"
        }
        settings = Settings(**load_settings(options, environment, None))
        assert settings.roles == roles
        require_cluster(settings)
    assert settings.metrics_address == "10.0.0.7:9180"
    assert settings.recorder_address == "10.0.0.7:8453"


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
        {"mediaNodes": {"replicas": 2}},
        {"mediaNodes": {"replicas": -1}},
        {"settings": {"roles": "app"}},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(HelmError):
        rendered({**LEAST, **wrong})
