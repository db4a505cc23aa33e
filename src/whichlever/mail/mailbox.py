"""Mail from files: .eml, mbox, Maildir, Outlook .msg, and folders of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from whichlever.errors import DataError, WhichleverError
from whichlever.mail.message import Limits, Message
from whichlever.mail.outlook import is_outlook, outlook_bytes
from whichlever.mail.parse import read_message

_DEFAULT = Limits()


def read_mailbox(
    path: Path, limits: Limits = _DEFAULT
) -> Iterator[tuple[str, Message | WhichleverError]]:
    """Every mail of a file or folder, read, as (where it stands, mail or what was wrong with it).

    Raises
    ------
    DataError
        The path is not there.
    """
    for where, raw in raw_mails(path, limits):
        yield where, read_message(raw, limits) if isinstance(raw, bytes) else raw


def raw_mails(
    path: Path, limits: Limits = _DEFAULT
) -> Iterator[tuple[str, bytes | WhichleverError]]:
    """Every mail of a file or folder as bytes, at most one over the limit of them.

    A folder with ``cur`` and ``new`` is a Maildir; any other is walked in the order of names. A
    file that begins with a ``From `` line is an mbox, read one mail at a time; a .jsonl file (also
    .gz) has the mail in each line's ``eml``; an Outlook .msg is turned into the mail that it was.

    Raises
    ------
    DataError
        The path is not there.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if not path.is_dir():
        yield from _file(path, limits)
        return
    maildir = (path / "cur").is_dir() and (path / "new").is_dir()
    for root in [path / "new", path / "cur"] if maildir else [path]:
        for file in sorted(root.rglob("*")):
            if file.is_symlink() or not file.is_file() or file.name.startswith("."):
                continue
            yield from _file(file, limits)


def _file(path: Path, limits: Limits) -> Iterator[tuple[str, bytes | WhichleverError]]:
    try:
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            yield from _lines(path)
            return
        with path.open("rb") as stream:
            head = stream.read(8)
            stream.seek(0)
            if is_outlook(head):
                yield str(path), _outlook(path, limits)
            elif head.startswith(b"From "):
                for number, raw in enumerate(split_mbox(stream, limits.max_bytes), start=1):
                    yield f"{path}:{number}", raw
            else:
                yield str(path), stream.read(limits.max_bytes + 1)
    except (OSError, EOFError) as error:
        said = getattr(error, "strerror", None) or str(error)
        yield str(path), DataError(f"{path}: cannot be read ({said})")


def _lines(path: Path) -> Iterator[tuple[str, bytes | WhichleverError]]:
    with path.open("rb") as file, gzip.open(file) if path.suffix == ".gz" else file as stream:
        for number, line in enumerate(stream, start=1):
            try:
                row = json.loads(line)
                eml = row["eml"]
                where = str(row.get("id", f"{path}:{number}"))
                yield where, eml.encode("utf-8", "surrogateescape")
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                yield f"{path}:{number}", DataError(f"{path}:{number}: no line with a mail in eml")


def _outlook(path: Path, limits: Limits) -> bytes | WhichleverError:
    try:
        return outlook_bytes(path, limits)
    except WhichleverError as error:
        return error


def split_mbox(stream: BinaryIO, most: int, begun: bytes = b"") -> Iterator[bytes]:
    """Messages of an mbox (mboxo and mboxrd): a ``From `` line after an empty one begins the next.

    One message is held at a time, and of it no more than ``most`` bytes and a line. ``begun`` is
    what was read of the first line already.
    """
    kept: list[bytes] = []
    size, empty, open_ = 0, True, False
    for line in iter(lambda: stream.readline(1_000_000), b""):
        line, begun = begun + line, b""
        if empty and line.startswith(b"From "):
            if open_:
                yield b"".join(kept)
            kept, size, open_, empty = [], 0, True, False
            continue
        if size <= most:
            quoted = line[:1] == b">" and line.lstrip(b">").startswith(b"From ")
            kept.append(line[1:] if quoted else line)
            size += len(line)
        empty = line in (b"\n", b"\r\n")
    if open_:
        yield b"".join(kept)
