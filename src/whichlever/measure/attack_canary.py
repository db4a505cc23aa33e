"""Canaries: made-up strings put into training rows, to be looked for in what was learned.

Carlini et al. 2019, "The secret sharer: evaluating and testing unintended memorization in neural
networks", plant canaries and ask how likely a model finds them. Here a plainer question comes
first: whether whoever holds the files, or sees answers and explanations, can read them there.
"""

from __future__ import annotations

import gzip
import io
import string
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from whichlever.predict import Row

TIMES = (0, 1, 2, 5, 20)
"""Training rows that each canary stands in; 0 is planted nowhere: what is found of it is chance."""

EACH = 6
"""Canaries of each number of plantings: half of them letters, half of them digits."""

CARRIER = "reference"
"""The word before a canary in a row."""

MAX_VIEW = 512 * 1024**2
"""Bytes of one file that are looked at, unpacked."""


@dataclass(frozen=True)
class Canary:
    """One string, and in how many training rows it stands."""

    text: str
    times: int

    @property
    def phrase(self) -> str:
        """What is added to a row."""
        return f"{CARRIER} {self.text}"


def make_canaries(seed: int, times: Sequence[int] = TIMES, each: int = EACH) -> list[Canary]:
    """Seeded canaries: words of 14 letters and numbers of 16 digits, none twice."""
    random = np.random.default_rng([seed, 45])
    out: list[Canary] = []
    for planted in times:
        for k in range(each):
            signs, length = (string.ascii_lowercase, 14) if k % 2 == 0 else (string.digits, 16)
            out.append(Canary("".join(random.choice(list(signs), length)), planted))
    return out


def plant(rows: Sequence[Row], canaries: Sequence[Canary], seed: int) -> list[Row]:
    """The rows with the canaries at the end of some of their texts.

    Rows are taken in a seeded order, one canary each for as long as there are rows; a canary never
    stands twice in one row.
    """
    if not rows:
        return []
    random = np.random.default_rng([seed, 46])
    order = random.permutation(len(rows)).tolist()
    texts = [row.text for row in rows]
    at = 0
    for canary in canaries:
        for _ in range(min(canary.times, len(rows))):
            place = order[at % len(order)]
            texts[place] = f"{texts[place]} {canary.phrase}"
            at += 1
    return [
        row if row.text == text else replace(row, text=text)
        for row, text in zip(rows, texts, strict=True)
    ]


def held_in(content: bytes, canaries: Sequence[Canary]) -> set[str]:
    """Which canaries a file's bytes hold, unpacked where they are packed, in any case of letters.

    Looked for as UTF-8 and as UTF-16, in the file itself, in gzip and zlib streams, in the members
    of a zip (so of an ``.npz``), and in the text columns of a parquet file.
    """
    found: set[str] = set()
    for view in _views(content):
        low = view.lower()
        for canary in canaries:
            signs = canary.text.encode("ascii")
            if signs in low or canary.text.encode("utf-16-le") in low:
                found.add(canary.text)
    return found


def _views(content: bytes) -> Iterator[bytes]:
    yield content
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
                yield stream.read(MAX_VIEW)
        except (OSError, EOFError, zlib.error):
            pass
    elif content[:4] == b"PK\x03\x04":
        yield from _members(content)
    elif content[:4] == b"PAR1":
        yield from _columns(content)


def _members(content: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                if member.file_size <= MAX_VIEW:
                    yield archive.read(member)
    except (zipfile.BadZipFile, OSError, zlib.error, NotImplementedError):
        return


def _columns(content: bytes) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError):
        return
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            yield "\n".join(v for v in column.to_pylist() if v is not None).encode(
                "utf-8", "replace"
            )
