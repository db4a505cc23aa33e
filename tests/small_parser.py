"""The program with a small parser in place of a bundle's, for tests of streams.

``python small_parser.py run x.wl --allow-unsigned --format logs …`` is the whole program; only what
reads a line is small: addresses, by a regular expression, known (a shape) where there are two.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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


def arguments(*options: str) -> list[str]:
    return ["run", "x.wl", "--format", "logs", *options]


def start(*options: str, **more: Any) -> subprocess.Popen[bytes]:
    """The program as a process with pipes."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), *arguments(*options)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
    )  # fmt: skip


@dataclass(frozen=True)
class Finished:
    returncode: int
    stdout: bytes
    stderr: bytes


def finish(*options: str, given: bytes = b"") -> Finished:
    """The program in this process, on real file descriptors: what it printed and returned."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, (
        tempfile.TemporaryFile()
    ) as said:  # fmt: skip
        source.write(given)
        source.seek(0)
        with _standing_in(source, out, said):
            code = program(arguments(*options))
        out.seek(0)
        said.seek(0)
        return Finished(code, out.read(), said.read())


@contextmanager
def _standing_in(*files: IO[bytes]) -> Iterator[None]:
    """Standard input, output and error are these files for a while."""
    before, streams = [os.dup(i) for i in range(3)], (sys.stdin, sys.stdout, sys.stderr)
    try:
        for place, file in enumerate(files):
            os.dup2(file.fileno(), place)
        sys.stdin = os.fdopen(0, "r", closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        yield
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        for place, descriptor in enumerate(before):
            os.dup2(descriptor, place)
            os.close(descriptor)
        sys.stdin, sys.stdout, sys.stderr = streams


def program(given: list[str]) -> int:
    """`whichlever` with the small parser in place of a bundle's."""
    import whichlever.bundle
    from whichlever.cli import main
    from whichlever.runtime.logs import bundled

    kept = whichlever.bundle.open_bundle, bundled.reading_of
    whichlever.bundle.open_bundle = lambda *_, **__: None  # type: ignore[assignment]
    bundled.reading_of = lambda _, learn: reading()
    try:
        return main(given)
    finally:
        whichlever.bundle.open_bundle, bundled.reading_of = kept


if __name__ == "__main__":
    sys.exit(program(sys.argv[1:]))
