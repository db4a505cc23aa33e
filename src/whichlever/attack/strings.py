"""A user's file of attack strings, read within bounds."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

from whichlever.errors import DataError
from whichlever.measure.attack_strings import AttackString

MAX_BYTES = 64 * 1024**2
MAX_STRINGS = 100_000
MAX_CHARS = 100_000

GIVEN = "given"
"""The family of strings that the file puts into none."""


def read_strings(path: Path) -> list[AttackString]:
    """Strings with their families, in the file's order.

    ``.jsonl`` (or ``.json``, ``.gz``) holds an object a line with ``attack`` (or ``text``) and
    perhaps ``family``; any other file one string a line.

    Raises
    ------
    DataError
        The file is missing, too large, or a line is no such object.
    """
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; correct attack.strings") from error
    if raw is None:
        raise DataError(f"{path}: larger than {MAX_BYTES // 1024**2} MB; give fewer strings")
    if raw[:2] == b"\x1f\x8b":
        raw = _unpacked(path, raw)
    try:
        lines = raw.decode("utf-8").split("\n")  # JSON may hold other line ends as they are
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; write it as UTF-8") from error
    as_json = any(suffix in (".jsonl", ".json", ".ndjson") for suffix in path.suffixes)
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(
                _json(path, number, line) if as_json else AttackString(GIVEN, line.rstrip("\r"))
            )
        if len(found) > MAX_STRINGS:
            raise DataError(f"{path}: more than {MAX_STRINGS:,} strings; give fewer")
    if not found:
        raise DataError(f"{path}: no string in it; write one in each line")
    return [given for given in found if len(given.text) <= MAX_CHARS]


def _unpacked(path: Path, raw: bytes) -> bytes:
    try:
        with gzip.open(path) as stream:
            out = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a readable gzip file ({error}); pack it again") from error
    if len(out) > MAX_BYTES:
        raise DataError(f"{path}: unpacks to more than {MAX_BYTES // 1024**2} MB; give fewer")
    return out


def _json(path: Path, number: int, line: str) -> AttackString:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}:{number}: not JSON ({type(error).__name__})") from error
    text = (found.get("attack") or found.get("text")) if isinstance(found, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{path}:{number}: no text under attack (or text)")
    family = found.get("family")
    return AttackString(family if isinstance(family, str) and family else GIVEN, text)
