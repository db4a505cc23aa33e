"""A kit's tar file: written in one canonical form, read as a stream, never unpacked.

Plain files only, sorted by name below one folder, each with the same owner and time. Links,
devices, sparse files, compressed tars, names that leave the folder, entries that stand twice and
anything behind the end are refused because the form admits none of them.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from whichlever.errors import CheckFailed, InputError
from whichlever.seal.format import INSTALLER, MAX_FILES, is_name

_BLOCK, _RECORD = tarfile.BLOCKSIZE, tarfile.RECORDSIZE
_CHUNK = 2**20
_FOLDER = re.compile(r"whichlever-[A-Za-z0-9.+]{1,40}-[0-9a-f]{8}")
_LONG = tarfile.GNUTYPE_LONGNAME[0]

SMALL = 4_000_000
"""Bytes up to which a file's content is handed on, beside its checksum."""


class Entry(NamedTuple):
    """One file of a kit: name inside its folder, size, SHA-256, and its content where small."""

    name: str
    size: int
    sha256: str
    content: bytes | None


def write_tar(out: Path, root: Path, names: Sequence[str], folder: str) -> None:
    """Write files below ``root`` as one tar; equal files make an equal tar, byte by byte."""
    with out.open("wb") as tar:
        for name in sorted(names):
            path = root / name
            tar.write(_header(f"{folder}/{name}", path.stat().st_size))
            with path.open("rb") as content:
                while chunk := content.read(_CHUNK):
                    tar.write(chunk)
            tar.write(bytes(-path.stat().st_size % _BLOCK))
        size = tar.tell()
        tar.write(bytes(2 * _BLOCK + -(size + 2 * _BLOCK) % _RECORD))


def read_tar(tar: BinaryIO, where: str) -> Iterator[tuple[str, Entry]]:
    """Every file, in order, with the name of the one folder that holds it.

    Raises
    ------
    InputError
        It is not a kit.
    CheckFailed
        It is damaged, or holds what no kit holds; the message names the place.
    """
    folder, last, count = "", "", 0
    while True:
        head = _exactly(tar, _BLOCK, where, last)
        if not any(head):
            break
        entry = _entry(tar, head, where, last)
        above, _, name = entry.name.partition("/")
        if not _FOLDER.fullmatch(above) or not is_name(name):
            raise CheckFailed(f"{where}: {entry.name[:200]!r} is not a name that a kit may hold")
        folder = folder or above
        if above != folder or name <= last:
            raise CheckFailed(f"{where}: {entry.name[:200]!r} stands twice or out of order")
        count += 1
        if count > MAX_FILES:
            raise CheckFailed(f"{where}: more than {MAX_FILES} files")
        yield folder, _content(tar, name, entry.size, where)
        last = name
    if count == 0:
        raise InputError(f"{where}: is not a kit: it holds nothing")
    rest = tar.read(2 * _RECORD)
    if len(rest) > _RECORD or any(rest) or (tar.tell() % _RECORD):
        raise CheckFailed(f"{where}: something stands behind its last file")


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o755 if name.endswith(f"/{INSTALLER}") else 0o644
    return entry.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")


def _entry(tar: BinaryIO, head: bytes, where: str, last: str) -> tarfile.TarInfo:
    """Read an entry's header, which must be just as it would be written."""
    name = None
    if head[156] == _LONG:  # a name over 100 letters stands in a block of its own
        more = _exactly(tar, 2 * _BLOCK, where, last)
        name, head = more[:_BLOCK].rstrip(b"\0").decode("ascii", "replace"), head + more
    try:
        entry = tarfile.TarInfo.frombuf(head[-_BLOCK:], "ascii", "strict")
        entry.name = entry.name if name is None else name
        same = head == _header(entry.name, entry.size)
    except (tarfile.TarError, ValueError, OverflowError):
        if not last:
            raise InputError(f"{where}: is not a kit (whichlever seal -o KIT makes one)") from None
        raise CheckFailed(f"{where}: damaged after {last!r}") from None
    if not same:
        raise CheckFailed(
            f"{where}: {entry.name[:200]!r} is not stored as a kit stores a plain file"
        )
    return entry


def _content(tar: BinaryIO, name: str, size: int, where: str) -> Entry:
    digest, kept, left = hashlib.sha256(), bytearray(), size
    while left:
        chunk = _exactly(tar, min(left, _CHUNK), where, name)
        digest.update(chunk)
        if size <= SMALL:
            kept += chunk
        left -= len(chunk)
    if any(_exactly(tar, -size % _BLOCK, where, name)):
        raise CheckFailed(f"{where}: {name!r} is damaged")
    return Entry(name, size, digest.hexdigest(), bytes(kept) if size <= SMALL else None)


def _exactly(tar: BinaryIO, size: int, where: str, at: str) -> bytes:
    content = tar.read(size)
    if len(content) < size:
        if not at:
            raise InputError(f"{where}: is not a kit (whichlever seal -o KIT makes one)")
        raise CheckFailed(f"{where}: is cut short after {at!r}")
    return content
