"""Turns what browsers really sent into what nobody should send, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

MOST_BYTES: Final = 4096
TELLING: Final = (0, 1, 2, 4, 12, 16, 63, 64, 127, 128, 191, 192, 200, 201, 205, 207, 254, 255)

Mutation = Callable[[Random, bytearray, Sequence[bytes]], None]


def mutants(seed: int, corpus: Sequence[bytes], count: int) -> Iterator[bytes]:
    """So many inputs, each one to four mutations away from one of the corpus."""
    random = Random(seed)
    for _ in range(count):
        data = bytearray(random.choice(corpus))
        for _ in range(1 + int(4 * random.random() ** 2)):
            random.choice(MUTATIONS)(random, data, corpus)
        yield bytes(data[:MOST_BYTES])


def _at(random: Random, data: bytearray) -> int:
    """Somewhere, more often near the beginning, where the headers are."""
    return int(len(data) * random.random() ** 2)


def _set(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_at(random, data)] = random.choice(TELLING)


def _flip(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_at(random, data)] ^= 1 << random.randrange(8)


def _word(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(random, data) & ~1
    data[at : at + 2] = random.choice((0, 1, len(data), 0x7FFF, 0xFFFF)).to_bytes(2)


def _cut(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_at(random, data) :]


def _drop(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(random, data)
    del data[at : at + random.randrange(1, 17)]


def _double(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(random, data)
    data[at:at] = data[at : at + random.randrange(1, 65)]


def _insert(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(random, data)
    data[at:at] = random.randbytes(random.randrange(1, 9))


def _splice(random: Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    data[_at(random, data) :] = random.choice(corpus)[_at(random, data) :]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(_set, _flip, _word),
    *(_cut, _drop, _double, _insert, _splice),
)
