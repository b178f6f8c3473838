"""The units in deploy/systemd: accepted by systemd, hardened, and with the times of the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from visavis.cli.configuration import load_settings
from visavis.descriptors import WANTED
from visavis.media.steering import SOCKET_BUFFER_BYTES
from visavis.settings import Settings
from visavis.supervisor import DRAIN_SECONDS, STOP_SECONDS

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "deploy/systemd"
EXPOSURE = 20
"""Maximum exposure by `systemd-analyze security`, in tenths; 92 is a unit without hardening."""
SERVICES = ("visavis.service", "visavis-archive.service")


def run(directory: Path, *command: str) -> str:
    program = shutil.which(command[0])
    assert program, f"no {command[0]} here: tests/system-packages installs it"
    environment = {"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{directory}:"}
    done = subprocess.run(
        [program, *command[1:]],
        env=environment,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a directory of the units, with this test's program and documents."""
    directory = tmp_path / "units"
    shutil.copytree(SYSTEMD, directory)
    program = str(Path(sys.executable).with_name("visavis"))
    for name in SERVICES:
        file = directory / name
        text = file.read_text().replace("/opt/visavis/bin/visavis", program)
        file.write_text(text.replace("/opt/visavis/docs", str(ROOT / "docs")))
    return directory


def values(name: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", (SYSTEMD / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_understands_every_line(units: Path, name: str) -> None:
    assert run(units, "systemd-analyze", "verify", "--man=no", name) == ""


def test_a_wrong_line_would_be_found(units: Path) -> None:
    (units / "visavis.service.d/wrong.conf").write_text("[Service]\nKilMode=mixed\n")
    assert "KilMode" in run(units, "systemd-analyze", "verify", "--man=no", "visavis.service")


@pytest.mark.parametrize("name", SERVICES)
def test_the_units_are_hardened(units: Path, name: str) -> None:
    options = ("--offline=true", f"--threshold={EXPOSURE}", "--no-pager")
    run(units, "systemd-analyze", "security", *options, name)


def test_systemd_waits_for_the_three_steps_of_a_stop() -> None:
    unit = values("visavis.service")
    assert unit["KillMode"] == "mixed"  # the supervisor stops the other processes, not systemd
    assert int(unit["TimeoutStopSec"]) > 3 * STOP_SECONDS


@pytest.mark.parametrize("role", ["app", "media"])
def test_a_drop_in_makes_a_node_of_a_cluster(units: Path, role: str) -> None:
    drop_in = units / "visavis.service.d" / f"{role}.conf"
    shutil.copy(units / "roles" / f"{role}.conf", drop_in)
    text = drop_in.read_text().replace("/opt/visavis/docs", str(ROOT / "docs"))
    drop_in.write_text(text)
    assert run(units, "systemd-analyze", "verify", "--man=no", "visavis.service") == ""
    roles = re.search(r"^Environment=VISAVIS_ROLES=(\S+)$", text, re.MULTILINE)
    assert roles
    settings = load_settings({}, {"VISAVIS_ROLES": roles[1]}, None)
    assert Settings(**settings).is_media_node is (role == "media")


def test_systemd_waits_while_a_media_node_hands_over() -> None:
    assert int(values("roles/media.conf")["TimeoutStopSec"]) > 2 * DRAIN_SECONDS


def test_the_limits_are_those_that_the_code_asks_for() -> None:
    assert all(int(values(name)["LimitNOFILE"]) == WANTED for name in SERVICES)
    sysctl = (SYSTEMD / "60-visavis-sysctl.conf").read_text()
    settings = dict(re.findall(r"^(net\.core\.\w+) = (\d+)$", sysctl, re.MULTILINE))
    sizes = dict.fromkeys(("net.core.rmem_max", "net.core.wmem_max"), str(SOCKET_BUFFER_BYTES))
    assert settings == sizes


def test_the_user_of_the_units_is_the_one_that_is_made(units: Path) -> None:
    file = str(units / "visavis-sysusers.conf")
    made = run(units, "systemd-sysusers", "--dry-run", file)
    assert "visavis" in made
    assert all(values(name)["User"] == "visavis" for name in SERVICES)
