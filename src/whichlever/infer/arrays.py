"""Named arrays out of an ``.npz`` file's content, each copied once at most."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_HEADER = 10_000
MAX_ARRAYS = 64
_LOCAL = 30
"""Bytes of a zip entry's own header before its name (PKWARE APPNOTE 4.3.7)."""


def read_arrays(content: bytes, most: int = MAX_ARRAYS) -> dict[str, npt.NDArray[Any]]:
    """The arrays that `numpy.savez` wrote, by name; read-only.

    `numpy.load` reads a zip in small pieces, which for weights of hundreds of megabytes takes most
    of the time to a first answer.

    Parameters
    ----------
    content
        Of the file.
    most
        Arrays that it may hold.

    Raises
    ------
    ValueError, zipfile.BadZipFile
        It is damaged, compressed, holds objects, or says more than it has bytes for.
    """
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entries = file.infolist()
        if len(entries) > most or len({e.filename for e in entries}) < len(entries):
            raise ValueError(f"more than {most} arrays, or one twice")
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 0x1:
                raise ValueError(f"{entry.filename}: is compressed or encrypted")
        if sum(e.file_size for e in entries) > len(content):
            raise ValueError("its arrays share their bytes")
        for entry in entries:
            at = entry.header_offset
            head = content[at : at + _LOCAL]
            if head[:4] != b"PK\x03\x04":
                raise zipfile.BadZipFile(f"{entry.filename}: no entry where one should be")
            begin = at + _LOCAL + int.from_bytes(head[26:28], "little")
            begin += int.from_bytes(head[28:30], "little")
            member = memoryview(content)[begin : begin + entry.file_size]
            if len(member) < entry.file_size or zlib.crc32(member) != entry.CRC:
                raise zipfile.BadZipFile(f"{entry.filename}: is damaged")
            arrays[entry.filename.removesuffix(".npy")] = _array(member, entry.filename)
    return arrays


def _array(member: memoryview, name: str) -> npt.NDArray[Any]:
    start = io.BytesIO(member[: MAX_HEADER + 12])
    version = np.lib.format.read_magic(start)
    if version != (1, 0):
        raise ValueError(f"{name}: written in another version of numpy's format")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(start, MAX_HEADER)
    if dtype.hasobject:
        raise ValueError(f"{name}: holds objects")
    count = int(np.prod(shape, dtype=object))
    body = member[start.tell() :]
    if len(body) != count * dtype.itemsize:
        raise ValueError(f"{name}: {len(body)} bytes for {count} values")
    flat = np.frombuffer(body, dtype, count) if count else np.zeros(0, dtype)
    if not flat.flags.aligned:
        flat = flat.copy()
        flat.flags.writeable = False
    return flat.reshape(shape, order="F" if by_column else "C")
