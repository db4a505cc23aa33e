"""Seeded mutations of bytes: the same seed, the same inputs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

INTERESTING = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\n", b'"', b"[", b"{", b"-", b"NaN", b"1e999",
               b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\xff" * 8, b"../", b"\xed\xa0\x80",
               b"99999999999999999999", b"null", b"{}", b"[]")  # fmt: skip
NUMBER = re.compile(rb"\d+")
MOST = 4 * 2**20


def mutated(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Endless variants: now and then what came out is changed again."""
    rng = random.Random(seed)
    pool = list(seeds)
    yield from pool
    while True:
        data = rng.choice(pool)
        for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
            data = rng.choice(WAYS)(rng, data, rng.choice(pool))[:MOST]
        if rng.random() < 0.02:
            pool[len(seeds) :] = [*pool[len(seeds) :], data][-20:]
        yield data


def _flip(rng: random.Random, data: bytes, other: bytes) -> bytes:
    if not data:
        return b"\x00"
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _put(rng: random.Random, data: bytes, other: bytes) -> bytes:
    at, what = rng.randint(0, len(data)), rng.choice(INTERESTING)
    return data[:at] + what + data[at + rng.choice((0, len(what))) :]


def _cut(rng: random.Random, data: bytes, other: bytes) -> bytes:
    a, b = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:a] + data[b:] if rng.random() < 0.7 else data[:a]


def _twice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    a = rng.randint(0, len(data))
    b = min(len(data), a + rng.choice((1, 8, 512, 4096)))
    return data[:b] + data[a:b] * rng.choice((1, 2, 50)) + data[b:]


def _splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _number(rng: random.Random, data: bytes, other: bytes) -> bytes:
    found = list(NUMBER.finditer(data[:100_000]))
    if not found:
        return _flip(rng, data, other)
    one = rng.choice(found)
    wanted = rng.choice((b"0", b"-1", b"1", b"2147483648", b"9" * 25, b"1e400", b"0.5"))
    return data[: one.start()] + wanted + data[one.end() :]


def _word(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """A little-endian integer, as lengths in binary formats are."""
    if len(data) < 8:
        return _flip(rng, data, other)
    size = rng.choice((1, 2, 4, 8))
    at = rng.randrange(min(len(data) - 8, 4096) + 1)
    if rng.random() < 0.3:
        at = max(0, len(data) - 8 - rng.randrange(min(len(data) - 7, 512)))
    value = rng.choice((0, 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1, len(data)))
    return data[:at] + (value % 2 ** (8 * size)).to_bytes(size, "little") + data[at + size :]


WAYS = (_flip, _flip, _put, _cut, _twice, _splice, _number, _word, _word)
