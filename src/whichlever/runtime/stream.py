"""Answer a file or a pipe of any size: in order, in constant memory, resumable to the byte."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from whichlever.bundle import Opened
from whichlever.bundle.format import SIGNATURE
from whichlever.errors import DataError, InputError
from whichlever.progress import Progress, Silent
from whichlever.runtime import inputs, outputs
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.inputs import Item
from whichlever.runtime.journal import Job, Journal, Mark, identity
from whichlever.runtime.lines import answer_line, error_line
from whichlever.runtime.model import BATCH

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no advisory locks
    fcntl = None  # type: ignore[assignment]

MARK_SECONDS = 2.0
"""About how much work a kill costs."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Options:
    """What the output depends on beside the input and the bundle."""

    scores: bool = True
    explain: int = 0
    format: str | None = None


@dataclass(frozen=True)
class Done:
    """What a run did; ``seconds`` is of this call alone, the counts are of the whole file."""

    rows: int
    errors: int
    abstained: int
    labels: dict[str, int]
    seconds: float
    fresh_rows: int
    resumed: bool


class Answering:
    """Turns items into lines, batch by batch, and counts what it said."""

    def __init__(self, bundle: Bundle, options: Options) -> None:
        self._bundle, self._options = bundle, options
        self._id = bundle.manifest.reader.id
        self.errors = self.abstained = 0
        self.labels: Counter[str] = Counter()

    def lines(self, items: list[Item], first: int) -> list[dict[str, Any]]:
        """One line per item; ``first`` is the number of rows before them."""
        lines: list[dict[str, Any] | None] = [None] * len(items)
        rows, places, ids = [], [], []
        for i, item in enumerate(items):
            ident = self._ident(item, first + i + 1)
            if item.record is None:
                lines[i] = error_line(item.error or "no row", ident)
                continue
            try:
                row = self._bundle.read.row(str(first + i), item.record)
            except DataError as error:
                lines[i] = error_line(str(error), ident)
                continue
            rows.append(row)
            places.append(i)
            ids.append(ident)
        answers = self._bundle.predictor.predict(rows) if rows else []
        for row, answer, place, ident in zip(rows, answers, places, ids, strict=True):
            line = answer_line(answer, self._bundle.manifest, id=ident, scores=self._options.scores)
            if self._options.explain and "error" not in line:
                line["why"] = self._why(row.text)
            lines[place] = line
        whole = [line for line in lines if line is not None]
        for line in whole:
            self._count(line)
        return whole

    def _why(self, text: str) -> list[dict[str, Any]]:
        found = self._bundle.explain(text, self._options.explain)
        return [
            {"text": w.text, "weight": round(float(w.weight), 4), "spans": w.at} for w in found.said
        ]

    def _ident(self, item: Item, number: int) -> Any:  # noqa: ANN401 - as the file gives it
        if self._id is None:
            return number
        return None if item.record is None else self._bundle.read.ident(item.record)

    def _count(self, line: dict[str, Any]) -> None:
        if "error" in line:
            self.errors += 1
            return
        self.abstained += bool(line["abstain"])
        if "fields" in line:
            self.labels["known shape" if line["shape"] is not None else "parsed"] += 1
        elif line["label"] is not None:
            self.labels[line["label"]] += 1


def run_pipe(
    opened: Opened,
    source: IO[bytes] | Path,
    out: IO[bytes],
    options: Options,
    threads: int = 1,
    written_as: outputs.Format = "jsonl",
) -> Done:
    """Answer into a pipe: in order, not resumable.

    Lines of a pipe are answered one by one, so that nobody waits for 255 more; the last digits of
    an encoder's scores may therefore differ from a file's.
    """
    bundle = Bundle(opened, threads)
    answering = Answering(bundle, options)
    head, to_bytes = outputs.writer(written_as, bundle.manifest)
    path = source if isinstance(source, Path) else None
    stream = None if isinstance(source, Path) else source
    format_ = inputs.format_of(path or Path("-.jsonl"), options.format)
    began, rows = time.monotonic(), 0
    waits = stream is not None and format_ == "jsonl"
    items = inputs.read_items(path, stream, format_)
    batches: Iterator[list[Item]] = _single(items) if waits else _batches(items)
    out.write(head)
    for batch in batches:
        out.writelines(map(to_bytes, answering.lines(batch, rows)))
        out.flush()
        rows += len(batch)
    return Done(rows, answering.errors, answering.abstained, dict(answering.labels),
                time.monotonic() - began, rows, False)  # fmt: skip


def run_file(
    opened: Opened,
    source: Path,
    out: Path,
    options: Options | None = None,
    *,
    threads: int = 1,
    restart: bool = False,
    progress: Progress | None = None,
) -> Done:
    """Answer a file; after a kill the same call goes on and ends with the same bytes.

    Raises
    ------
    InputError
        ``out`` is the input, is there already, is being written by another process, or there is
        no room for it; then what was answered is kept, and the same call goes on from there.
    DataError
        The input breaks off; what was answered is kept, and the same call goes on from there.
    """
    options, progress = options or Options(), progress or Silent()
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    if out.exists() and (out.is_dir() or source.samefile(out)):
        raise InputError(f"{out}: answers need a file of their own")
    if not out.parent.is_dir():
        raise InputError(f"{out.parent}: no such folder")
    written_as = outputs.format_of(out)
    format_ = inputs.format_of(source, options.format)
    journal = Journal(out, _job(opened, source, options))
    with _locked(journal.part, out) as part:
        mark = journal.read(restart)
        if mark.done:
            if not out.exists():  # killed between the last mark and the rename
                journal.finish(mark)
            return _done(mark, 0.0, 0, True)
        began, start = time.monotonic(), mark.rows
        bundle = Bundle(opened, threads)
        try:
            mark = _answer(
                bundle, source, format_, written_as, journal, part, mark, options, progress
            )
            journal.finish(mark)
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise InputError(
                f"{out}: {error.strerror}; make room, and the same command goes on from here"
            ) from error
    return _done(mark, time.monotonic() - began, mark.rows - start, start > 0)


def _answer(
    bundle: Bundle,
    source: Path,
    format_: inputs.Format,
    written_as: outputs.Format,
    journal: Journal,
    part: IO[bytes],
    mark: Mark,
    options: Options,
    progress: Progress,
) -> Mark:
    answering = Answering(bundle, options)
    answering.errors, answering.abstained = mark.errors, mark.abstained
    answering.labels.update(dict(mark.labels))
    head, to_bytes = outputs.writer(written_as, bundle.manifest)
    enter = inputs.seekable(source, format_)
    items = inputs.read_items(
        source, None, format_, mark.at if enter else 0, 0 if enter else mark.rows
    )
    size = source.stat().st_size
    with progress.step(f"answer {source.name}", total=size if enter else None) as bar:
        journal.write(mark)  # before the first byte: a part without a journal is somebody else's
        part.truncate(mark.out)
        part.seek(mark.out)
        if mark.out == 0:
            _write(part, head)
        rows, at, said = mark.rows, mark.at, time.monotonic()
        bar.advance(at if enter else rows)
        try:
            for batch in _batches(items):
                _write(part, b"".join(map(to_bytes, answering.lines(batch, rows))))
                rows += len(batch)
                before, at = at, batch[-1].end or at
                bar.advance(at - before if enter else len(batch))
                if time.monotonic() - said > MARK_SECONDS and len(batch) == BATCH:
                    mark = _certain(part, journal, answering, rows, at)
                    said = time.monotonic()
            return _certain(part, journal, answering, rows, at)
        except DataError:
            if rows % BATCH == 0:
                _certain(part, journal, answering, rows, at)
            raise


def _write(part: IO[bytes], content: bytes) -> None:
    """All of it: an unbuffered file may take less at once."""
    rest = memoryview(content)
    while rest:
        rest = rest[part.write(rest) :]


def _certain(part: IO[bytes], journal: Journal, answering: Answering, rows: int, at: int) -> Mark:
    os.fsync(part.fileno())
    mark = Mark(rows, at, part.tell(), answering.errors, answering.abstained,
                tuple(sorted(answering.labels.items())))  # fmt: skip
    journal.write(mark)
    return mark


def _done(mark: Mark, seconds: float, fresh: int, resumed: bool) -> Done:
    return Done(mark.rows, mark.errors, mark.abstained, dict(mark.labels), seconds, fresh, resumed)


def _job(opened: Opened, source: Path, options: Options) -> Job:
    whole = hashlib.sha256()
    for name in sorted(set(opened.files) - {SIGNATURE}):
        whole.update(name.encode() + b"\0" + hashlib.sha256(opened.files[name]).digest())
    said = json.dumps([options.scores, options.explain, options.format, BATCH])
    return Job(identity(source), whole.hexdigest(), said)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items at offsets that are multiples of `BATCH`; what was read before a break is not lost."""
    steady = iter(items)
    while True:
        batch: list[Item] = []
        try:
            for item in steady:
                batch.append(item)
                if len(batch) == BATCH:
                    break
        except DataError:
            if batch:
                yield batch
            raise
        if not batch:
            return
        yield batch


def _single(items: Iterable[Item]) -> Iterator[list[Item]]:
    for item in items:
        yield [item]


@contextmanager
def _locked(path: Path, out: Path) -> Iterator[IO[bytes]]:
    """The part, open and held from before the journal is read until it has its name.

    An empty one that nothing was written to is removed again.
    """
    # Not buffered: what there is no room for is not tried again when the file is closed.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0) as part:
        if fcntl is not None:
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(f"{out}: another process is writing it") from error
        try:
            yield part
        finally:
            if path.exists() and path.stat().st_size == 0:
                path.unlink()
