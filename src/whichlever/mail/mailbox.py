"""Mail from files: .eml, mbox, Maildir, Outlook .msg, and folders of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from whichlever.errors import DataError, WhichleverError
from whichlever.mail.message import Limits, Message
from whichlever.mail.outlook import is_outlook, read_outlook
from whichlever.mail.parse import read_message

_DEFAULT = Limits()


def read_mailbox(
    path: Path, limits: Limits = _DEFAULT
) -> Iterator[tuple[str, Message | WhichleverError]]:
    """Every mail of a file or folder, as (where it stands, mail or what was wrong with it).

    A folder with ``cur`` and ``new`` is a Maildir; any other is walked in the order of names. A
    file that begins with a ``From `` line is an mbox, in constant memory.

    Raises
    ------
    DataError
        The path is not there, or cannot be read at all.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.is_dir():
        yield from _folder(path, limits)
    else:
        yield from _file(path, limits)


def _folder(path: Path, limits: Limits) -> Iterator[tuple[str, Message | WhichleverError]]:
    maildir = (path / "cur").is_dir() and (path / "new").is_dir()
    roots = [path / "new", path / "cur"] if maildir else [path]
    for root in roots:
        for file in sorted(root.rglob("*")):
            if file.is_symlink() or not file.is_file() or file.name.startswith("."):
                continue
            yield from _file(file, limits)


def _file(path: Path, limits: Limits) -> Iterator[tuple[str, Message | WhichleverError]]:
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
            stream.seek(0)
            if is_outlook(head):
                yield str(path), _outlook(path, limits)
            elif head.startswith(b"From "):
                for number, raw in enumerate(_mbox(stream, limits.max_bytes), start=1):
                    yield f"{path}:{number}", read_message(raw, limits)
            else:
                yield str(path), read_message(stream.read(limits.max_bytes + 1), limits)
    except OSError as error:
        yield str(path), DataError(f"{path}: cannot be read ({error.strerror or error})")


def _outlook(path: Path, limits: Limits) -> Message | WhichleverError:
    try:
        return read_outlook(path, limits)
    except WhichleverError as error:
        return error


def _mbox(stream: object, most: int) -> Iterator[bytes]:
    """Messages of an mbox (mboxo and mboxrd): a ``From `` line after an empty one begins the next.

    One message is held at a time, and of it no more than the limit and a line.
    """
    kept: list[bytes] = []
    size, empty, begun = 0, True, False
    for line in iter(lambda: stream.readline(1_000_000), b""):  # type: ignore[attr-defined]
        if empty and line.startswith(b"From "):
            if begun:
                yield b"".join(kept)
            kept, size, begun, empty = [], 0, True, False
            continue
        if size <= most:
            unquoted = (
                line[1:] if line.lstrip(b">").startswith(b"From ") and line[:1] == b">" else line
            )
            kept.append(unquoted)
            size += len(unquoted)
        empty = line in (b"\n", b"\r\n")
    if begun:
        yield b"".join(kept)
