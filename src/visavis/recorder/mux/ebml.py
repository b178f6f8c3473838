"""Reading and writing of the EBML elements (RFC 8794) of a Matroska file (RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from zlib import crc32

HEADER: Final = b"\x1a\x45\xdf\xa3"
CRC_32: Final = b"\xbf"
VOID: Final = b"\xec"
SEGMENT: Final = b"\x18\x53\x80\x67"
SEEK_HEAD: Final = b"\x11\x4d\x9b\x74"
SEEK: Final = b"\x4d\xbb"
SEEK_ID: Final = b"\x53\xab"
SEEK_POSITION: Final = b"\x53\xac"
INFO: Final = b"\x15\x49\xa9\x66"
DURATION: Final = b"\x44\x89"
TRACKS: Final = b"\x16\x54\xae\x6b"
TRACK_ENTRY: Final = b"\xae"
TRACK_NUMBER: Final = b"\xd7"
TRACK_UID: Final = b"\x73\xc5"
TRACK_TYPE: Final = b"\x83"
CODEC_ID: Final = b"\x86"
CODEC_PRIVATE: Final = b"\x63\xa2"
CODEC_DELAY: Final = b"\x56\xaa"
TAGS: Final = b"\x12\x54\xc3\x67"
TAG: Final = b"\x73\x73"
TARGETS: Final = b"\x63\xc0"
TAG_TRACK_UID: Final = b"\x63\xc5"
SIMPLE_TAG: Final = b"\x67\xc8"
TAG_NAME: Final = b"\x45\xa3"
TAG_STRING: Final = b"\x44\x87"
CUES: Final = b"\x1c\x53\xbb\x6b"
CUE_POINT: Final = b"\xbb"
CUE_TIME: Final = b"\xb3"
CUE_TRACK_POSITIONS: Final = b"\xb7"
CUE_TRACK: Final = b"\xf7"
CUE_CLUSTER_POSITION: Final = b"\xf1"
CUE_RELATIVE_POSITION: Final = b"\xf0"
CLUSTER: Final = b"\x1f\x43\xb6\x75"
TIMESTAMP: Final = b"\xe7"
SIMPLE_BLOCK: Final = b"\xa3"

MIN_VOID_BYTES: Final = 9
"""Length of an empty Void element in the form that `void` returns."""

Element = tuple[bytes, bytes]
"""ID and content of an element."""


def element(name: bytes, *content: bytes) -> bytes:
    """Return an element, with its size in as few bytes as possible."""
    body = b"".join(content)
    return name + size(len(body)) + body


def checked(name: bytes, *content: bytes) -> bytes:
    """Return a master element with a CRC-32 of its contents (RFC 8794 §11.3.1)."""
    body = b"".join(content)
    return element(name, element(CRC_32, crc32(body).to_bytes(4, "little")), body)


def unsigned(name: bytes, value: int) -> bytes:
    """Return an unsigned integer element of as few bytes as possible."""
    return element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def size(value: int) -> bytes:
    """Return a variable-size integer. All ones are avoided, as they mean an unknown size."""
    length = max(1, (value + 1).bit_length() + 6) // 7
    return (value | 1 << 7 * length).to_bytes(length)


def wide_size(value: int) -> bytes:
    """Return a variable-size integer of eight bytes."""
    return (value | 1 << 56).to_bytes(8)


def void(length: int) -> bytes:
    """Return a Void element of `length` bytes, which must be at least `MIN_VOID_BYTES`."""
    content = length - MIN_VOID_BYTES
    return VOID + wide_size(content) + bytes(content)


def read(data: bytes) -> Iterator[Element]:
    """Yield the elements in a file, or in a master element, that FFmpeg wrote.

    The data is trusted: malformed elements are not detected.
    """
    position = 0
    while position < len(data):
        length = 9 - data[position].bit_length()
        name = data[position : position + length]
        position += length
        length = 9 - data[position].bit_length()
        content = int.from_bytes(data[position : position + length]) - (1 << 7 * length)
        position += length
        yield name, data[position : position + content]
        position += content


def write(elements: Iterable[Element]) -> bytes:
    """Return the elements, one after the other."""
    return b"".join([element(name, content) for name, content in elements])
