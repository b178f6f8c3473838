"""Classic BPF programs, which Linux runs for each datagram before it is queued on a socket.

They need no privileges. The programs here distribute datagrams by source address over the sockets
that share a port (SO_ATTACH_REUSEPORT_CBPF), and drop datagrams that an unknown source may not send
(SO_ATTACH_FILTER).
"""

from __future__ import annotations

import ctypes
import ipaddress
import secrets
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from visavis.media.remote_address import UdpAddress

SO_ATTACH_FILTER: Final = 26  # <asm-generic/socket.h>, missing in Python's socket module
SO_ATTACH_REUSEPORT_CBPF: Final = 51
MAX_INSTRUCTIONS: Final = 4096  # BPF_MAXINSNS

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _LOAD_SCRATCH = 0x20, 0x28, 0x30, 0x60
_STORE_SCRATCH, _MOVE_TO_X, _MULTIPLY, _ADD_X, _SHIFT_RIGHT = 0x02, 0x07, 0x24, 0x0C, 0x74
_JUMP, _IF_EQUAL, _IF_GREATER, _IF_AT_LEAST, _RETURN = 0x05, 0x15, 0x25, 0x35, 0x06

_NETWORK_HEADER: Final = 0xFFF00000  # SKF_NET_OFF
_INTERFACE: Final = 0xFFFFF008  # SKF_AD_OFF + SKF_AD_IFINDEX
_UDP_HEADER_BYTES: Final = 8
_COOKIE: Final = 0x2112A442
_KEEP: Final = 0xFFFF
_LEAF_KEYS: Final = 8

_INSTRUCTION: Final = struct.Struct("=HBBI")
_PROGRAM: Final = struct.Struct("HP")


class Instruction(NamedTuple):
    """One `struct sock_filter`. The jumps are numbers of instructions to skip."""

    code: int
    jump_true: int = 0
    jump_false: int = 0
    operand: int = 0


Program = Sequence[Instruction]


def attach(udp: socket.socket, option: int, program: Program) -> None:
    """Attach a program to a socket; raises `OSError` if the kernel rejects it."""
    encoded = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*each) for each in program))
    udp.setsockopt(
        socket.SOL_SOCKET, option, _PROGRAM.pack(len(program), ctypes.addressof(encoded))
    )


class SourceHash:
    """Hash of a source address and port that a BPF program can compute.

    Its factors are random, so an attacker cannot choose an address that collides with another.
    """

    def __init__(self, family: socket.AddressFamily) -> None:
        self._family = family
        words = 1 if family is socket.AF_INET else 4
        self._factors = [secrets.randbits(32) | 1 for _ in range(words + 1)]

    def of(self, address: UdpAddress) -> int:
        """Return the hash of an address, the same as the program computes."""
        host = ipaddress.ip_address(address[0].partition("%")[0]).packed
        words: list[int] = [*struct.unpack(f"!{len(host) // 4}I", host), address[1]]
        products = (word * factor for word, factor in zip(words, self._factors, strict=True))
        return (sum(products) & 0xFFFFFFFF) >> 1

    def program(self) -> list[Instruction]:
        """Return instructions that compute the hash of a datagram's source in the accumulator."""
        is_ipv4 = self._family is socket.AF_INET
        source, port = (12, 20) if is_ipv4 else (8, 40)
        loads = [(_LOAD_WORD, source + 4 * n) for n in range(len(self._factors) - 1)]
        loads.append((_LOAD_HALF, port))
        found = [Instruction(_STORE_SCRATCH)]  # The accumulator is 0 at the start.
        for (code, offset), factor in zip(loads, self._factors, strict=True):
            found += [
                Instruction(_LOAD_SCRATCH),
                Instruction(_MOVE_TO_X),
                Instruction(code, operand=_NETWORK_HEADER + offset),
                Instruction(_MULTIPLY, operand=factor),
                Instruction(_ADD_X),
                Instruction(_STORE_SCRATCH),
            ]
        # The hash has 31 bits, as comparing a larger operand takes another instruction.
        return [*found, Instruction(_SHIFT_RIGHT, operand=1)]


def steering_program(source: SourceHash, sockets: Mapping[int, int]) -> Program:
    """Return the program that selects the number of a socket by the hash of the source, else 0.

    `sockets` maps hashes to numbers.
    """
    return [*source.program(), *_search(sorted(sockets.items()))]


def constant_program(number: int) -> Program:
    """Return the program that selects the same socket for every datagram."""
    return [Instruction(_RETURN, operand=number)]


def _search(entries: Sequence[tuple[int, int]]) -> list[Instruction]:
    """Return instructions for a binary search of the accumulator's value."""
    if len(entries) <= _LEAF_KEYS:
        return _leaf(entries)
    middle = len(entries) // 2
    lower, upper = _search(entries[:middle]), _search(entries[middle:])
    return [
        Instruction(_IF_GREATER, 0, 1, entries[middle - 1][0]),
        Instruction(_JUMP, operand=len(lower)),
        *lower,
        *upper,
    ]


def _leaf(entries: Sequence[tuple[int, int]]) -> list[Instruction]:
    numbers = sorted({number for _, number in entries})
    found = []
    for index, (key, number) in enumerate(entries):
        to_return = len(entries) - index + numbers.index(number)
        found.append(Instruction(_IF_EQUAL, to_return, 0, key))
    return [
        *found,
        Instruction(_RETURN),
        *(Instruction(_RETURN, operand=number) for number in numbers),
    ]


def stranger_filter(*, is_local_only: bool) -> Program:
    """Return the filter for sources that belong to no leg: it passes only STUN and DTLS."""
    return [
        *(_only_loopback() if is_local_only else ()),
        Instruction(_LOAD_BYTE, operand=_UDP_HEADER_BYTES),
        Instruction(_IF_AT_LEAST, 2, 0, 4),
        Instruction(_LOAD_WORD, operand=_UDP_HEADER_BYTES + 4),
        Instruction(_IF_EQUAL, 2, 3, _COOKIE),
        Instruction(_IF_AT_LEAST, 2, 0, 64),
        Instruction(_IF_AT_LEAST, 0, 1, 20),
        Instruction(_RETURN, operand=_KEEP),
        Instruction(_RETURN),
    ]


def loopback_filter() -> Program:
    """Return the filter that drops all datagrams from other machines."""
    return [*_only_loopback(), Instruction(_RETURN, operand=_KEEP)]


def _only_loopback() -> Program:
    return (
        Instruction(_LOAD_WORD, operand=_INTERFACE),
        Instruction(_IF_EQUAL, 1, 0, socket.if_nametoindex("lo")),
        Instruction(_RETURN),
    )
