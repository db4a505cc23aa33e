"""A folder of documents, read as passages without trusting it.

Text and markdown files are read, in order of their names. Links, hidden files, devices, files
that are not UTF-8 text and files beyond the size limits are left out and named, so that nobody
believes that they were searched.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from whichlever.documents.passage import Passage
from whichlever.errors import TaskError

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".text", ".rst"})
MAX_FILES = 10_000
MAX_FILE_BYTES = 4 * 2**20
MAX_BYTES = 64 * 2**20
"""Of all files together."""

PASSAGE_CHARS = 600
"""About 150 tokens of English."""

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_FENCE = ("```", "~~~")


SETTLING_NS = 200_000_000
"""A file that was written this shortly before it was read may be written again within the same
tick of the file system's clock; it is read once more, in nanoseconds."""

Stamp = tuple[str, int, int, int]
"""A file's name, times of its content and of its entry in nanoseconds, and size."""


@dataclass(frozen=True)
class Document:
    """One file as it was read; ``problem`` says why it was not.

    ``stamp`` is None where the file may still be changing, so that it is read again. ``text`` is
    kept only where it is asked for.
    """

    stamp: Stamp | None
    size: int
    passages: tuple[Passage, ...] = ()
    problem: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Folder:
    """What a folder held when it was read, by file name.

    ``left_out`` pairs a file's name with why it was not read; ``stamp`` changes when a file does.
    """

    documents: Mapping[str, Document]
    left_out: tuple[tuple[str, str], ...]

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The pieces of every document."""
        return tuple(p for document in self.documents.values() for p in document.passages)

    @property
    def stamp(self) -> tuple[Stamp | None, ...]:
        """What `stamp_of` would say if nothing has changed since."""
        return tuple(document.stamp for document in self.documents.values())


def read_folder(
    root: Path, known: Mapping[str, Document] | None = None, *, texts: bool = False
) -> Folder:
    """Read every document under ``root``; a file that is as it was when ``known`` is not opened.

    Parameters
    ----------
    texts
        Keep the documents' texts instead of cutting them into passages.

    Raises
    ------
    TaskError
        There is no such folder.
    """
    stamps, left_out = _files(root)
    documents: dict[str, Document] = {}
    total = 0
    for stamp in stamps:
        name, size = stamp[0], stamp[3]
        before = None if known is None else known.get(name)
        if size > MAX_FILE_BYTES or total + size > MAX_BYTES:
            limit = MAX_FILE_BYTES if size > MAX_FILE_BYTES else MAX_BYTES
            found = Document(stamp, 0, problem=f"larger than the limit of {limit} bytes")
        elif before is not None and before.stamp == stamp and before.size == size:
            found = before
        else:
            found = _read(root, stamp, texts=texts)
        documents[name] = found
        total += found.size
        if found.problem is not None:
            left_out.append((name, found.problem))
    return Folder(documents, tuple(sorted(left_out)))


def _read(root: Path, stamp: Stamp, *, texts: bool) -> Document:
    name, size = stamp[0], stamp[3]
    now = time.time_ns()
    settled = all(abs(now - at) > SETTLING_NS for at in stamp[1:3])
    try:
        text = _text(root / name)
    except (OSError, ValueError) as error:
        return Document(stamp, 0, problem=str(error) or type(error).__name__)
    if texts:
        return Document(stamp if settled else None, size, text=text)
    passages = tuple(
        Passage(f"{name}#{number}", piece, source=name)
        for number, piece in enumerate(pieces(text), 1)
    )
    return Document(stamp if settled else None, size, passages)


def check_documents(root: Path) -> None:
    """Raise `TaskError` where there is no such folder."""
    if not root.is_dir():
        raise TaskError(f"documents: there is no folder {str(root)!r}; correct it or leave it out")


def stamp_of(root: Path) -> tuple[Stamp, ...]:
    """Name, times and size of each document now; no file is opened."""
    return tuple(_files(root)[0])


def pieces(text: str, size: int = PASSAGE_CHARS) -> Iterator[str]:
    """Cut a document at headings and paragraphs into pieces of about ``size`` characters.

    Each piece begins with the headings it stands under. Only a paragraph that is longer than
    ``size`` by itself is cut inside, at white space where there is any.
    """
    for heading, held in blocks(text, size):
        yield "\n\n".join([*heading, *held])


def blocks(text: str, size: int = PASSAGE_CHARS) -> Iterator[tuple[list[str], list[str]]]:
    """The same pieces, each as its headings (one line, or none) and its paragraphs."""
    for heading, paragraphs in _sections(text):
        held: list[str] = []
        length = 0
        for paragraph in (p for whole in paragraphs for p in _cut(whole, size)):
            if held and length + len(paragraph) > size:
                yield heading, held
                held, length = [], 0
            held.append(paragraph)
            length += len(paragraph) + 2
        if held:
            yield heading, held


def _sections(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Paragraphs under each heading, with the heading's path as one line."""
    path: list[tuple[int, str]] = []
    paragraphs: list[str] = []
    lines: list[str] = []
    fence = ""

    def end_paragraph() -> None:
        if lines:
            paragraphs.append("\n".join(lines))
            lines.clear()

    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith(_FENCE) and (not fence or bare.startswith(fence)):
            fence = "" if fence else bare[:3]
        found = None if fence else _HEADING.match(line)
        if found:
            end_paragraph()
            if paragraphs:
                yield _joined(path), paragraphs
                paragraphs = []
            level = len(found.group(1))
            title = found.group(2).strip().rstrip("#").strip()[:200]
            path = [*((at, t) for at, t in path if at < level), (level, title)]
        elif bare or fence:
            lines.append(line.rstrip())
        else:
            end_paragraph()
    end_paragraph()
    if paragraphs:
        yield _joined(path), paragraphs


def _joined(path: list[tuple[int, str]]) -> list[str]:
    return [" > ".join(title for _, title in path)] if path else []


def _cut(paragraph: str, size: int) -> Iterator[str]:
    start = 0
    while len(paragraph) - start > size:
        end = max(paragraph.rfind(mark, start + size // 2, start + size) for mark in ("\n", " "))
        end = end if end > start else start + size
        yield paragraph[start:end].strip()
        start = end
    rest = paragraph[start:].strip()
    if rest:
        yield rest


def _files(root: Path) -> tuple[list[Stamp], list[tuple[str, str]]]:
    """Name, times and size of each file to read, in order of names; and what is left out."""
    check_documents(root)
    kept: list[Stamp] = []
    left_out: list[tuple[str, str]] = []
    waiting = [("", str(root))]
    while waiting:
        inside, folder = waiting.pop()
        names: list[os.DirEntry[str]] = []
        below: list[os.DirEntry[str]] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                (below if entry.is_dir(follow_symlinks=True) else names).append(entry)
        below = sorted(below, key=lambda entry: entry.name)
        for entry in below:
            if entry.is_symlink():
                left_out.append((_name(inside + entry.name), "a link"))
        waiting += [
            (f"{inside}{entry.name}/", entry.path)
            for entry in reversed(below)
            if not entry.name.startswith(".") and not entry.is_symlink()
        ]
        for entry in sorted(names, key=lambda entry: entry.name):
            if entry.name.startswith(".") or _suffix(entry.name) not in SUFFIXES:
                continue
            facts, name = entry.stat(follow_symlinks=False), _name(inside + entry.name)
            if stat.S_ISLNK(facts.st_mode):
                left_out.append((name, "a link"))
            elif not stat.S_ISREG(facts.st_mode):
                left_out.append((name, "not a file"))
            elif len(kept) == MAX_FILES:
                left_out.append((name, f"beyond the limit of {MAX_FILES} files"))
            else:
                kept.append((name, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size))
    return kept, left_out


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - a Path for each of thousands is slow


def _name(name: str) -> str:
    """A file's name inside the folder; bytes that are not UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def _text(path: Path) -> str:
    """The text of a regular file, at most `MAX_FILE_BYTES`, never through a link."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as stream:
        raw = stream.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise ValueError("grew beyond the size limit while it was read")
    if b"\x00" in raw:
        raise ValueError("not text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
