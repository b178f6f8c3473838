"""Network namespace of the benchmark, which disappears with its last process."""

from __future__ import annotations

import os
import subprocess
import sys

HOST = "10.203.0.1"
_INSIDE = "BENCHMARK_NETWORK"


def enter_network(module: str) -> None:
    """Run `python -m module` again in a network namespace with an interface that is not `lo`.

    Janus uses neither `lo` nor interfaces with names of virtual ones.
    """
    if _INSIDE not in os.environ:
        os.environ[_INSIDE] = "1"
        become_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *become_root, "--net", sys.executable, "-m", module, *sys.argv[1:]]
        os.execvp(command[0], command)
    for what in (
        "link set lo up",
        "link add wan0 type veth peer name wan1",
        "link set wan0 up",
        "link set wan1 up",
        f"address add {HOST}/24 dev wan0",
    ):
        subprocess.run(["ip", *what.split()], check=True)
