"""Lines of JSON from strangers: bounded in length, strict in form, never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

LINE_BYTES = 1_000_000
"""A longer line is refused; its rest is passed over."""
ID_CHARS = 1_000


class BadLine(ValueError):
    """One line that cannot be used; the message says why. It never leaves this package."""


def bounded_lines(stream: BinaryIO, limit: int = LINE_BYTES) -> Iterator[bytes | None]:
    """Lines without their end; None for one that is longer than ``limit`` bytes."""
    while True:
        line = stream.readline(limit + 1)
        if not line:
            return
        if line.endswith(b"\n"):
            yield line.rstrip(b"\r\n")
        elif len(line) <= limit:
            yield line  # the last one, without an end
        else:
            while (rest := stream.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield None


def read_object(line: bytes | None) -> dict[str, Any]:
    """One JSON object; no key twice, no NaN, nothing deeper than the reader stands.

    Raises
    ------
    BadLine
        It is not such an object.
    """
    if line is None:
        raise BadLine(f"longer than {LINE_BYTES:,} bytes")
    try:
        found = json.loads(
            line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except UnicodeDecodeError:
        raise BadLine("not UTF-8") from None
    except BadLine:
        raise
    except (ValueError, RecursionError):
        raise BadLine("not JSON") from None
    if not isinstance(found, dict):
        raise BadLine("not a JSON object")
    return found


def ident_of(found: dict[str, Any]) -> str:
    """The row's id.

    Raises
    ------
    BadLine
        There is none, or it is not a string of a sensible length.
    """
    ident = found.get("id")
    if not isinstance(ident, str) or not 0 < len(ident) <= ID_CHARS:
        raise BadLine(f"id: a string of 1 to {ID_CHARS} characters is needed")
    return ident


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadLine("a key stands twice")
    return found


def _no_constant(name: str) -> float:
    raise BadLine(f"{name} is not JSON")


def shown(ident: object) -> str | None:
    """An id that can be given back, however odd the line was; None where there is none."""
    return ident if isinstance(ident, str) and len(ident) <= ID_CHARS else None


def dumped(value: dict[str, Any]) -> str:
    """One line of JSON; lone surrogates stay escaped."""
    return json.dumps(value, ensure_ascii=True)
