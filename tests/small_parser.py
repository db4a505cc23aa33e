"""The program with a small parser in place of a bundle's, for tests of streams.

``python small_parser.py run x.wl --allow-unsigned --format logs …`` is the whole program; only what
reads a line is small: addresses, by a regular expression, known (a shape) where there are two.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whichlever.fields.spans import Parsed, Span
from whichlever.runtime.logs.plan import Reading

ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
NAMES = (("client.ip", "source.ip"), ("destination.ip",))


class SmallParser:
    """Two addresses are source and destination, one is less sure; ``crash`` breaks it."""

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        if any("crash" in line for line in lines):
            raise ValueError("a line that breaks the parser")
        return [self._one(line) for line in lines]

    def _one(self, line: str) -> Parsed:
        found = [*ADDRESS.finditer(line[:10_000])][:2]
        spans = tuple(Span(m.start(), m.end(), n) for m, n in zip(found, NAMES, strict=False))
        fields = {n: line[s.start : s.end] for s in spans for n in s.names}
        return Parsed(spans, 0.3 + 0.3 * len(found), "two" if len(found) == 2 else None, fields)


def reading() -> Reading:
    return Reading(SmallParser(), "small", 0.5)


def program(*options: str) -> list[str]:
    return [
        sys.executable,
        str(Path(__file__).resolve()),
        "run",
        "x.wl",
        "--format",
        "logs",
        *options,
    ]


def start(*options: str, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program(*options), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        **more,
    )  # fmt: skip


def finish(*options: str, given: bytes = b"", **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(program(*options), input=given, capture_output=True, timeout=60, **more)


if __name__ == "__main__":
    import whichlever.bundle
    from whichlever.cli import main
    from whichlever.runtime.logs import bundled

    whichlever.bundle.open_bundle = lambda *_, **__: None  # type: ignore[assignment]
    bundled.reading_of = lambda _: reading()
    sys.exit(main(sys.argv[1:]))
