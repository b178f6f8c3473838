"""Null sound device for Firefox, whose `AudioContext` never runs without a device."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

PULSEAUDIO: Final = "/usr/bin/pulseaudio"


class Loudspeaker:
    """PulseAudio with a null sink, on a socket of its own in `directory`. Close it when done."""

    def __init__(self, directory: Path) -> None:
        socket = directory / "pulse.sock"
        command = [PULSEAUDIO, "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        command += ["--disable-shm", "-L", "module-null-sink"]
        command += ["-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
        environment = {"HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
        self._process = subprocess.Popen(
            command,
            env={**environment, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.server = f"unix:{socket}"
        """Value of `PULSE_SERVER` for programs that use this device."""

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
