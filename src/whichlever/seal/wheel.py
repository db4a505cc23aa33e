"""A wheel written reproducibly: equal files give equal bytes, and its record stands at the end."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)


class WheelFile:
    """A wheel that is being written; a context.

    Parameters
    ----------
    path
        Where it goes; its name is the wheel's.
    info
        The name of its ``.dist-info`` folder.
    level
        How hard it is compressed, 1 to 9.
    """

    def __init__(self, path: Path, info: str, level: int) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._info, self._level = info, level
        self._record: list[tuple[str, str, str]] = []

    def __enter__(self) -> WheelFile:
        return self

    def add(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Put a file in, and into the record."""
        self._record.append((name, f"sha256={record_hash(content)}", str(len(content))))
        self._write(name, content, mode)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            lines = io.StringIO()
            name = f"{self._info}/RECORD"
            csv.writer(lines, lineterminator="\n").writerows([*self._record, (name, "", "")])
            self._write(name, lines.getvalue().encode(), 0o644)
        self._zip.close()

    def _write(self, name: str, content: bytes, mode: int) -> None:
        entry = zipfile.ZipInfo(name, _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix, whatever made it, so that modes count and bytes are equal
        entry.external_attr = (0o100000 | mode) << 16
        self._zip.writestr(entry, content, compresslevel=self._level)


def record_hash(content: bytes) -> str:
    """SHA-256 as a wheel's record writes it: base64 for URLs, without padding."""
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
