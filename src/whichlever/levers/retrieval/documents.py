"""A folder of documents, read as passages without trusting it.

Text and markdown files are read, in order of their names. Links, hidden files, devices, files
that are not UTF-8 text and files beyond the size limits are left out and named, so that nobody
believes that they were searched.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whichlever.errors import TaskError
from whichlever.levers.retrieval.index import Passage

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".text", ".rst"})
MAX_FILES = 10_000
MAX_FILE_BYTES = 4 * 2**20
MAX_BYTES = 64 * 2**20
"""Of all files together."""

PASSAGE_CHARS = 600
"""About 150 tokens of English."""

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_FENCE = ("```", "~~~")


@dataclass(frozen=True)
class Folder:
    """What a folder held when it was read.

    ``left_out`` pairs a file's name with why it was not read; ``stamp`` changes when a file does.
    """

    passages: tuple[Passage, ...]
    left_out: tuple[tuple[str, str], ...]
    stamp: tuple[tuple[str, int, int], ...]


def read_folder(root: Path) -> Folder:
    """Read every document under ``root``.

    Raises
    ------
    TaskError
        There is no such folder.
    """
    stamp, left_out = _files(root)
    passages: list[Passage] = []
    total = 0
    for name, _, size in stamp:
        if size > MAX_FILE_BYTES or total + size > MAX_BYTES:
            limit = MAX_FILE_BYTES if size > MAX_FILE_BYTES else MAX_BYTES
            left_out.append((name, f"larger than the limit of {limit} bytes"))
            continue
        try:
            text = _text(root / name)
        except (OSError, ValueError) as error:
            left_out.append((name, str(error) or type(error).__name__))
            continue
        total += size
        for number, piece in enumerate(pieces(text), 1):
            passages.append(Passage(f"{name}#{number}", piece, source=name))
    return Folder(tuple(passages), tuple(sorted(left_out)), tuple(stamp))


def check_documents(root: Path) -> None:
    """Raise `TaskError` where there is no such folder."""
    if not root.is_dir():
        raise TaskError(f"documents: there is no folder {str(root)!r}; correct it or leave it out")


def stamp_of(root: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time in nanoseconds and size of each document now; no file is opened."""
    return tuple(_files(root)[0])


def pieces(text: str, size: int = PASSAGE_CHARS) -> Iterator[str]:
    """Cut a document at headings and paragraphs into pieces of about ``size`` characters.

    Each piece begins with the headings it stands under. Only a paragraph that is longer than
    ``size`` by itself is cut inside, at white space where there is any.
    """
    for heading, paragraphs in _sections(text):
        held: list[str] = []
        length = 0
        for paragraph in (p for whole in paragraphs for p in _cut(whole, size)):
            if held and length + len(paragraph) > size:
                yield "\n\n".join([*heading, *held])
                held, length = [], 0
            held.append(paragraph)
            length += len(paragraph) + 2
        if held:
            yield "\n\n".join([*heading, *held])


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


def _files(root: Path) -> tuple[list[tuple[str, int, int]], list[tuple[str, str]]]:
    """Name, time and size of each file to read, in order of names; and what is left out."""
    check_documents(root)
    kept: list[tuple[str, int, int]] = []
    left_out: list[tuple[str, str]] = []
    for folder, names, files in os.walk(root, followlinks=False):
        here = Path(folder)
        for name in [n for n in names if (here / n).is_symlink()]:
            left_out.append((_name(root, here / name), "a link"))
        names[:] = sorted(n for n in names if not n.startswith("."))
        for name in sorted(files):
            path = here / name
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            facts = path.lstat()
            if stat.S_ISLNK(facts.st_mode):
                left_out.append((_name(root, path), "a link"))
            elif not stat.S_ISREG(facts.st_mode):
                left_out.append((_name(root, path), "not a file"))
            elif len(kept) == MAX_FILES:
                left_out.append((_name(root, path), f"beyond the limit of {MAX_FILES} files"))
            else:
                kept.append((_name(root, path), facts.st_mtime_ns, facts.st_size))
    return kept, left_out


def _name(root: Path, path: Path) -> str:
    """A file's name inside the folder; bytes that are not UTF-8 are escaped."""
    name = path.relative_to(root).as_posix()
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
