"""Encoded frames to RTP payloads, as browsers cut them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

MTU = 1100


def opus(frame: bytes, number: int) -> list[bytes]:
    return [frame]


def vp8(frame: bytes, number: int) -> list[bytes]:
    """X and I, a picture id of 15 bits (RFC 7741 §4.2)."""
    picture = (0x8000 | number & 0x7FFF).to_bytes(2)
    return [
        bytes([0x80 | (0x10 if start == 0 else 0), 0x80]) + picture + piece
        for start, piece in _cut(frame)
    ]


def vp9(frame: bytes, number: int) -> list[bytes]:
    """I, and a scalability structure with each key frame (RFC 9628 §4.2)."""
    picture = (0x8000 | number & 0x7FFF).to_bytes(2)
    is_key = not frame[0] & 0x04
    pieces = list(_cut(frame))
    payloads = []
    for start, piece in pieces:
        is_first, is_last = start == 0, start + len(piece) == len(frame)
        structure = bytes([0x18]) + (640).to_bytes(2) + (360).to_bytes(2) + bytes([1, 0x04, 1])
        has_structure = is_first and is_key
        flags = 0x80 | (0 if is_key else 0x40) | (0x08 if is_first else 0)
        flags |= (0x04 if is_last else 0) | (0x02 if has_structure else 0)
        payloads.append(bytes([flags]) + picture + (structure if has_structure else b"") + piece)
    return payloads


def h264(frame: bytes, number: int) -> list[bytes]:
    """Parameter sets in a STAP-A, large units in FU-As (RFC 6184)."""
    payloads: list[bytes] = []
    parameters: list[bytes] = []
    for unit in nal_units(frame):
        if unit[0] & 31 in {7, 8}:
            parameters.append(unit)
            continue
        if parameters:
            payloads.append(stap_a(parameters))
            parameters = []
        payloads += [unit] if len(unit) <= MTU else list(fu_a(unit))
    return payloads


def stap_a(units: list[bytes]) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2) + unit for unit in units)


def fu_a(unit: bytes) -> Iterator[bytes]:
    body = unit[1:]
    for start, piece in _cut(body):
        flags = (0x80 if start == 0 else 0) | (0x40 if start + len(piece) == len(body) else 0)
        yield bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 31]) + piece


def nal_units(frame: bytes) -> list[bytes]:
    """The units of an Annex B access unit."""
    return [unit.rstrip(b"\0") for unit in frame.split(b"\0\0\1") if unit.rstrip(b"\0")]


def av1(frame: bytes, number: int) -> list[bytes]:
    """No temporal delimiter, no sizes inside; fragments across packets (AV1 RTP §4.3)."""
    units = [unit for kind, unit in obus(frame) if kind != 2]
    is_new_sequence = any(unit[0] >> 3 & 15 == 1 for unit in units)
    packets: list[tuple[bool, list[bytes], bool]] = [(False, [], False)]
    for unit in units:
        rest, continues = unit, False
        while rest:
            starts_with_rest, elements, _ = packets[-1]
            room = MTU - sum(len(element) + 2 for element in elements)
            if room < 50:
                packets[-1] = (starts_with_rest, elements, continues)
                packets.append((continues, [], False))
                continue
            elements.append(rest[:room])
            rest, continues = rest[room:], True
    payloads = []
    for index, (goes_on, elements, is_cut) in enumerate(packets):
        head = (0x80 if goes_on else 0) | (0x40 if is_cut else 0)
        head |= 0x08 if index == 0 and is_new_sequence else 0
        count = len(elements) if len(elements) <= 3 else 0
        body = b""
        for position, element in enumerate(elements, start=1):
            is_last = count and position == count
            body += (b"" if is_last else leb128(len(element))) + element
        payloads.append(bytes([head | count << 4]) + body)
    return payloads


def obus(frame: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of each OBU of a low-overhead stream, without its size."""
    position = 0
    while position < len(frame):
        head = frame[position]
        size_at = position + (2 if head & 4 else 1)
        size, body_at = _read_leb128(frame, size_at)
        yield (
            head >> 3 & 15,
            bytes([head & ~2]) + frame[position + 1 : size_at] + frame[body_at : body_at + size],
        )
        position = body_at + size


def leb128(value: int) -> bytes:
    encoded = b""
    while True:
        low, value = value & 127, value >> 7
        encoded += bytes([low | (128 if value else 0)])
        if not value:
            return encoded


def _read_leb128(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if not byte & 128:
            return value, position


def _cut(frame: bytes) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(frame), MTU):
        yield start, frame[start : start + MTU]


PACKETISERS: dict[str, Callable[[bytes, int], list[bytes]]] = {
    "OPUS": opus,
    "VP8": vp8,
    "VP9": vp9,
    "H264": h264,
    "AV1": av1,
}
