"""A bundle's files as bytes: written as a plain tar, read within bounds, never unpacked to disk.

Only the one canonical form that `write_archive` makes is read: regular files, sorted, each with the
same owner, mode and time, then zeros. Links, devices, sparse files, extended headers, compressed
tars, entries that stand twice and anything hidden behind the end are refused by that alone.
"""

from __future__ import annotations

import io
import os
import re
import stat
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from whichlever.errors import BundleError
from whichlever.run import written_aside

MAX_BYTES = 2 * 2**30
"""A bundle is held in memory; larger ones are refused before they are read."""

MAX_FILES = 256
MAX_DEPTH = 5

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,79})*")
_BLOCK, _RECORD = tarfile.BLOCKSIZE, tarfile.RECORDSIZE


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a bundle; equal files make an equal archive, byte by byte.

    Raises
    ------
    BundleError
        A name is not one that a bundle may hold, or there is too much.
    """
    check_names(files, str(path))
    if sum(map(len, files.values())) > MAX_BYTES:
        raise BundleError(f"{path}: more than {MAX_BYTES:,} bytes; a bundle may not be larger")
    with written_aside(path) as aside, aside.open("wb") as out:
        size = 0
        for name in sorted(files):
            out.write(_header(name, len(files[name])))
            out.write(files[name])
            out.write(bytes(-len(files[name]) % _BLOCK))
            size += _BLOCK + len(files[name]) + -len(files[name]) % _BLOCK
        out.write(bytes(2 * _BLOCK + -(size + 2 * _BLOCK) % _RECORD))


def read_archive(path: Path) -> dict[str, bytes]:
    """Every file of a bundle (a tar, or a folder), by name; each byte is read once.

    Raises
    ------
    BundleError
        It is not a bundle, is damaged, too large, or holds what a bundle may not; the message
        names the file.
    """
    try:
        folder = path.is_dir() and not path.is_symlink()
        files = dict(_folder(path)) if folder else _tar(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror or error})") from error
    check_names(files, str(path))
    return files


def check_names(files: Mapping[str, bytes], where: str) -> None:
    """Refuse names that leave the folder, look alike, or no bundle has.

    Raises
    ------
    BundleError
        Says which.
    """
    if len(files) > MAX_FILES:
        raise BundleError(f"{where}: more than {MAX_FILES} files")
    seen: dict[str, str] = {}
    for name in files:
        if not _NAME.fullmatch(name) or name.count("/") >= MAX_DEPTH:
            raise BundleError(f"{where}: {name!r} is not a name that a bundle may hold")
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            raise BundleError(f"{where}: {name!r} and {twin!r} are one file on some machines")
        parts = name.split("/")
        for i in range(1, len(parts)):
            if "/".join(parts[:i]) in files:
                raise BundleError(f"{where}: {name!r} is inside what is a file")


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def _tar(path: Path) -> dict[str, bytes]:
    with _regular(path) as raw:
        if os.fstat(raw.fileno()).st_size > MAX_BYTES + MAX_FILES * 2 * _BLOCK + 2 * _RECORD:
            raise BundleError(f"{path}: too large for a bundle")
        content = raw.read(MAX_BYTES + MAX_FILES * 2 * _BLOCK + 2 * _RECORD)
    files: dict[str, bytes] = {}
    at, last = 0, ""
    while True:
        head = content[at : at + _BLOCK]
        if len(head) < _BLOCK:
            raise BundleError(f"{path}: not a bundle, or cut short")
        if not any(head):
            break
        try:
            entry = tarfile.TarInfo.frombuf(head, "ascii", "strict")
            canonical = head == _header(entry.name, entry.size)
        except (tarfile.TarError, ValueError, OverflowError):
            raise BundleError(f"{path}: not a bundle, or damaged after {last!r}") from None
        if not canonical:
            raise BundleError(
                f"{path}: {entry.name[:200]!r} is not stored as a bundle stores a plain file"
            )
        if entry.name <= last:
            raise BundleError(f"{path}: {entry.name[:200]!r} stands twice or out of order")
        if len(files) == MAX_FILES:
            raise BundleError(f"{path}: more than {MAX_FILES} files")
        start, end = at + _BLOCK, at + _BLOCK + entry.size
        at = end + -entry.size % _BLOCK
        if at > len(content) or any(content[end:at]):
            raise BundleError(f"{path}: {entry.name[:200]!r} is cut short or damaged")
        files[entry.name] = content[start:end]
        last = entry.name
    if len(content) != at + 2 * _BLOCK + -(at + 2 * _BLOCK) % _RECORD or any(content[at:]):
        raise BundleError(f"{path}: something stands behind its last file")
    return files


def _folder(root: Path) -> Iterator[tuple[str, bytes]]:
    count = total = 0
    for folder, folders, names in os.walk(root):
        for name in sorted([*folders, *names]):
            where = Path(folder) / name
            found = where.lstat()
            inside = where.relative_to(root).as_posix()
            if stat.S_ISDIR(found.st_mode):
                if inside.count("/") >= MAX_DEPTH:
                    raise BundleError(f"{root}: {inside[:200]!r} lies too deep")
                continue
            count, total = count + 1, total + found.st_size
            if count > MAX_FILES or total > MAX_BYTES:
                raise BundleError(f"{root}: too many files, or too large, for a bundle")
            with _regular(where) as raw:
                yield inside, raw.read(MAX_BYTES)


def _regular(path: Path) -> io.BufferedReader:
    """Open a plain file, and nothing that only points at one or would block."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        if path.is_symlink():
            raise BundleError(f"{path}: is a link; a bundle holds plain files only") from None
        raise error from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BundleError(f"{path}: is not a plain file; a bundle holds plain files only")
    return os.fdopen(handle, "rb")
