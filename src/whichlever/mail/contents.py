"""What an attachment is by its first bytes, whatever its name says."""

from __future__ import annotations

from pathlib import PurePosixPath

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MZ", ".exe"),
    (0, b"\x7fELF", ".elf"),
    (0, b"%PDF-", ".pdf"),
    (0, b"PK\x03\x04", ".zip"),
    (0, b"PK\x05\x06", ".zip"),
    (0, b"Rar!\x1a\x07", ".rar"),
    (0, b"7z\xbc\xaf\x27\x1c", ".7z"),
    (0, b"\x1f\x8b\x08", ".gz"),
    (0, b"BZh", ".bz2"),
    (0, b"\xfd7zXZ\x00", ".xz"),
    (0, b"MSCF\x00\x00\x00\x00", ".cab"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".ole"),
    (0, b"{\\rtf", ".rtf"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", ".lnk"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", ".one"),
    (32769, b"CD001", ".iso"),
    (0, b"\x89PNG\r\n\x1a\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"GIF8", ".gif"),
    (0, b"\x78\x9f\x3e\x22", ".tnef"),
    (0, b"#!", ".script"),
)
_OFFICE = {b"word/": ".docx", b"xl/": ".xlsx", b"ppt/": ".pptx"}


def content_type_of(content: bytes, name: str = "") -> str | None:
    """The extension that the first bytes speak of; None where they speak of none.

    The table is short on purpose: what carries attacks in mail, and what they pose as. A zip with
    the folders of an office document is that document; HTML and scripts are known by their first
    words.
    """
    for at, magic, extension in _MAGIC:
        if content[at : at + len(magic)] == magic:
            return _inside_zip(content) if extension == ".zip" else extension
    begin = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begin.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return ".html"
    if begin.startswith(b"<svg") or (begin.startswith(b"<?xml") and b"<svg" in begin):
        return ".svg"
    if PurePosixPath(name.lower()).suffix in (".js", ".vbs", ".hta", ".wsf", ".ps1", ".bat"):
        return PurePosixPath(name.lower()).suffix
    return None


def _inside_zip(content: bytes) -> str:
    head = content[:20_000]
    for folder, extension in _OFFICE.items():
        if b"[Content_Types].xml" in head and folder in content[:200_000]:
            macro = b"vbaProject.bin" in content
            return extension[:-1] + "m" if macro else extension
    return ".zip"
