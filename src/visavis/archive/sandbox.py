"""Confinement of the processes that read uploaded files.

A file that was uploaded may be anything, and libav has a demuxer for everything: playlists that
open other files and URLs, images that expand to gigabytes. So uploaded files are opened as Matroska
alone, by a process with limits on memory, CPU time and files, which can neither open a socket nor
start another program.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from pathlib import Path
from typing import Any, Final

import av

MEBIBYTE: Final = 1024**2
MEMORY_BYTES: Final = 4096 * MEBIBYTE
"""Address space, of which libraries and threads' stacks reserve far more than they use."""
MAX_FILES: Final = 64

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with EPERM
_X32_BIT: Final = 0x40000000
_SYSTEM_CALLS: Final = {
    # machine: its AUDIT_ARCH_, and socket, socketpair, connect, execve, execveat, ptrace,
    # io_uring_setup, whose requests no filter sees
    "x86_64": (0xC000003E, (41, 53, 42, 59, 322, 101, 425)),
    "aarch64": (0xC00000B7, (198, 199, 203, 221, 281, 117, 425)),
}


def open_matroska(path: Path) -> Any:
    """Open an uploaded file as Matroska or WebM; raise `av.FFmpegError` if it is another."""
    return av.open(str(path), format="matroska", options={"protocol_whitelist": "file"})


def confine(*, cpu_seconds: int, file_bytes: int) -> None:
    """Confine this process for the rest of its life; raise `OSError`.

    It may use `cpu_seconds`, and write files of at most `file_bytes` each.
    """
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, MAX_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        allowed = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(kind, (allowed, allowed))
    if sys.platform == "linux" and platform.machine() in _SYSTEM_CALLS:
        _refuse_system_calls(*_SYSTEM_CALLS[platform.machine()])


def _refuse_system_calls(architecture: int, refused: tuple[int, ...]) -> None:
    """Install a seccomp filter (seccomp(2)), which needs no privilege and cannot be taken back."""
    count = len(refused)
    program = b"".join(
        (
            _instruction(_LOAD, 4),  # struct seccomp_data: the architecture
            _instruction(_JUMP_EQUAL, architecture, 0, count + 3),
            _instruction(_LOAD, 0),  # the number of the call
            _instruction(_JUMP_AT_LEAST, _X32_BIT, count + 1, 0),
            *(
                _instruction(_JUMP_EQUAL, number, count - place, 0)
                for place, number in enumerate(refused)
            ),
            _instruction(_RETURN, _ALLOW),
            _instruction(_RETURN, _REFUSE),
        )
    )
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, first, second in (
        (_PR_SET_NO_NEW_PRIVS, 1, None),
        (_PR_SET_SECCOMP, _MODE_FILTER, header),
    ):
        arguments = (ctypes.c_ulong(first), ctypes.c_char_p(second), ctypes.c_ulong(0))
        if libc.prctl(option, *arguments, ctypes.c_ulong(0)) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"seccomp: {os.strerror(number)}")


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """Return a struct sock_filter; jumps are relative to the next instruction."""
    return struct.pack("@HBBI", code, if_true, if_false, value)
