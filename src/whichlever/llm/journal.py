"""Answers already given, kept line by line, so that none is paid for twice.

A line is written whole and forced to disk before its answer is used. What was asked is kept only
as a hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def journal_key(*parts: object) -> str:
    """SHA-256 hex of JSON values: the same question to the same model has the same key."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class Journal:
    """Entries by key; the first one written for a key stands.

    Parameters
    ----------
    path
        A file of JSON lines, made when the first entry is kept. A last line that a kill tore is
        dropped, and so is any line that is not an entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._load()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The entry kept under ``key``; None where there is none."""
        return self._entries.get(key)

    def keep(self, key: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep an entry unless the key has one; return the one that stands."""
        with self._lock:
            if key in self._entries:
                return self._entries[key]
            line = json.dumps({"key": key, **entry}, ensure_ascii=True) + "\n"
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(line.encode("ascii"))
                stream.flush()
                os.fsync(stream.fileno())
            # What is handed back is what a later run would read, to the last digit.
            self._entries[key] = json.loads(line)
            return self._entries[key]

    def _load(self) -> None:
        raw = self.path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole != len(raw):
            with self.path.open("r+b") as stream:
                stream.truncate(whole)
        for line in raw[:whole].splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and isinstance(entry.get("key"), str):
                self._entries.setdefault(entry["key"], entry)
