"""Where reading stood in a file, and the file again after it was rotated away."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from whichlever.runtime.logs.lines import Origin

HEAD = 1024
"""First bytes of a file that tell it from others, whatever it is called by now."""


@dataclass(frozen=True)
class Position:
    """A place in a file that is known by its beginning, not by its name.

    ``length`` first bytes have the SHA-256 ``head``; everything before byte ``at`` was read.
    """

    inode: int
    length: int
    head: str
    at: int


def position(origin: Origin, at: int) -> Position:
    """The position at byte ``at`` of the file that lines came from."""
    head = origin.head[:HEAD]
    return Position(origin.inode, len(head), hashlib.sha256(head).hexdigest(), at)


def unread(path: Path, after: Position | None) -> tuple[list[tuple[Path, int]], str | None]:
    """Files with lines after a position, oldest first, each with the byte to begin at.

    Parameters
    ----------
    path
        The name that is written to; it is the last of the files, where it is there.

    Returns
    -------
    tuple
        The files, and a sentence where the file of the position is gone: what was in it after
        the position cannot be read any more.
    """
    here = [(path, 0)] if path.is_file() else []
    if after is None:
        return here, None
    rotated = [p for p in rotations(path) if p.is_file()]
    matching = [p for p in (path, *rotated) if _matches(p, after)]
    if not matching:
        said = f"{path}: the file that was being read is gone; reading what is there from its start"
        return here, said
    found = next((p for p in matching if p.stat().st_ino == after.inode), matching[0])
    if found == path:
        return [(path, after.at)], None
    begins = {head_of(found)}
    chain = [(found, after.at)]
    moment = found.stat().st_mtime_ns
    for later in sorted(rotated, key=lambda p: p.stat().st_mtime_ns):
        head = head_of(later)
        # The same content packed and not yet packed stands twice for a moment.
        if later.stat().st_mtime_ns > moment and head not in begins:
            begins.add(head)
            chain.append((later, 0))
    return chain + here, None


def rotations(path: Path) -> Iterator[Path]:
    """Files beside ``path`` that rotation may have made of it, such as app.log.1.gz."""
    name, stem, suffix = re.escape(path.name), re.escape(path.stem), re.escape(path.suffix)
    made = re.compile(rf"{name}[.\-_][\w.\-]+|{stem}[.\-_]\d[\d.\-_T]*{suffix}(?:\.gz)?", re.ASCII)
    if path.parent.is_dir():
        yield from (p for p in path.parent.iterdir() if p != path and made.fullmatch(p.name))


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked; b"" where it cannot be read."""
    try:
        with path.open("rb") as file:
            if not unpacked(file):
                return file.read(HEAD)
            with gzip.open(file) as inside:
                return inside.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return b""


def unpacked(file: IO[bytes]) -> bool:
    """Whether a file is gzip; it is at its beginning before and after."""
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return packed


def _matches(path: Path, after: Position) -> bool:
    if not path.is_file():
        return False
    if after.length == 0:
        return path.stat().st_ino == after.inode
    head = head_of(path)
    if len(head) < after.length or (hashlib.sha256(head[: after.length]).hexdigest() != after.head):
        return False
    with path.open("rb") as file:
        return unpacked(file) or path.stat().st_size >= after.at
