"""Rows out of a log of an API's answers: what was asked about, what was answered, what it cost.

Requests with their responses, one JSON object a line, as `recorded_chat` reads them (OpenAI chat
completions and Responses, Anthropic Messages), and batch outputs, whose ids name rows that are
given apart. A line that is none of these is left out and named; a log is never trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from whichlever.data.files import MAX_LINE_BYTES, find_source, open_source
from whichlever.errors import DataError
from whichlever.levers.recorded_batches import read_anthropic, read_openai
from whichlever.levers.recorded_chat import asked_texts, is_chat, read_chat
from whichlever.levers.recorded_raw import Raw, marked, text_key
from whichlever.llm.reading import LabelReader
from whichlever.llm.reply import one_line
from whichlever.predict import Row, Usage
from whichlever.settings_decoder import LogSettings

MOST_LINES = 5_000_000
NAMED = 3
"""Broken lines that are named; the others are counted."""


@dataclass(slots=True)
class Logged:
    """One text and what was answered to it, as often as it was asked about.

    ``answers`` are labels (or open texts); ``usage`` is of each of them.
    """

    row: Row
    answers: list[str] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)


@dataclass
class Log:
    """What a log holds for a task.

    Attributes
    ----------
    entries
        By the digest of the text.
    model
        Who answered, where the log says it; the most frequent.
    lines, broken, failed, refused, unmatched
        Lines read; those that could not be; answers that failed; answers that name no label, or
        several; requests that do not look as ``input`` says, or whose id is no row's.
    named
        The first broken lines, with what is wrong with them.
    """

    entries: dict[bytes, Logged] = field(default_factory=dict)
    model: str | None = None
    lines: int = 0
    broken: int = 0
    failed: int = 0
    refused: int = 0
    unmatched: int = 0
    named: tuple[str, ...] = ()

    @property
    def usage(self) -> list[Usage]:
        """Of every answer that was read."""
        return [used for entry in self.entries.values() for used in entry.usage]

    @property
    def answers(self) -> int:
        """Answers that were read."""
        return sum(len(entry.answers) for entry in self.entries.values())


def read_log(
    settings: LogSettings,
    path: Path,
    labels: Sequence[str],
    *,
    rows: Sequence[Row] = (),
    max_chars: int = 100_000,
) -> Log:
    """Read a log as rows with answers.

    Parameters
    ----------
    labels
        The closed set of answers; empty where any text is one.
    rows
        Rows that ids in the log may name, for formats that do not hold what was asked.
    max_chars
        Longer texts are left out, as the task's own would be refused.

    Raises
    ------
    DataError
        The file cannot be opened, or holds no answer that can be used; one line.
    """
    reader = LabelReader(labels) if labels else None
    by_id = {row.id: row for row in rows}
    log, models = Log(), dict[str, int]()
    named: list[str] = []
    for number, line in _lines(settings.path, path):
        log.lines += 1
        where = f"{settings.path}:{number}"
        try:
            raw, text, row = _read(line, where, settings, by_id)
        except (ValueError, RecursionError, DataError, TypeError) as error:
            log.broken += 1
            if len(named) < NAMED:
                named.append(one_line(_told(error, where), 200))
            continue
        if settings.model is not None and raw.model != settings.model:
            continue
        if raw.said is None:
            log.failed += 1
            continue
        if text is None or not text.strip() or len(text) > max_chars:
            log.unmatched += 1
            continue
        answer = raw.said.strip() if reader is None else reader.read(raw.said)
        if not answer:
            log.refused += 1
            continue
        if raw.model:
            models[raw.model] = models.get(raw.model, 0) + 1
        key = text_key(text)
        entry = log.entries.setdefault(key, Logged(row or Row(f"log:{number}", text)))
        entry.answers.append(answer)
        entry.usage.append(raw.usage)
    log.named = tuple(named)
    log.model = max(models, key=lambda name: models[name]) if models else settings.model
    if not log.entries:
        raise DataError(f"{settings.path}: no answer in it can be used ({left_out(log)})")
    return log


def left_out(log: Log) -> str:
    """What of a log was not used, in words, the first broken lines by name."""
    said = [
        f"{count:,} {what}"
        for count, what in (
            (log.broken, "broken lines"),
            (log.failed, "failed or empty answers"),
            (log.refused, "answers that name no label, or several"),
            (log.unmatched, "requests whose row cannot be told"),
        )
        if count
    ]
    shown = f"; {'; '.join(log.named)}" if log.named else ""
    return f"{log.lines:,} lines: " + (", ".join(said) or "nothing left out") + shown


def _lines(name: str, path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; of one that never ends, the part that tells so."""
    source = find_source(name, path)
    if source.format != "jsonl":
        raise DataError(f"{name}: a log is JSON, one request with its answer a line")
    with open_source(source) as stream:
        for number in range(1, MOST_LINES + 1):
            line = stream.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            if len(line) > MAX_LINE_BYTES:
                raise DataError(
                    f"{name}:{number}: the line is longer than {MAX_LINE_BYTES >> 20} MiB; "
                    "write one request a line"
                )
            if line.strip():
                yield number, line
    raise DataError(f"{name}: more than {MOST_LINES:,} lines; give a part of the log")


def _read(
    line: bytes, where: str, settings: LogSettings, by_id: Mapping[str, Row]
) -> tuple[Raw, str | None, Row | None]:
    """An answer, the text that it is about, and the row that its id names."""
    record = json.loads(line.decode("utf-8-sig"))
    if not isinstance(record, Mapping):
        raise DataError(f"{where}: not an object")
    if is_chat(record):
        raw = read_chat(record, where)
        asked = "\n".join(asked_texts(record, where))
        if asked:
            return raw, _within(asked, settings.input), None
    elif "custom_id" in record:
        raw = (read_anthropic if "result" in record else read_openai)(record, where)
    else:
        raise DataError(f"{where}: no request with its answer, and no line of a batch's output")
    row = next((by_id[id_] for id_ in raw.ids if id_ in by_id), None)
    return raw, None if row is None else row.text, row


def _within(asked: str, pattern: str) -> str | None:
    """The row's text inside a message; None where the message does not look as it should."""
    if pattern == "{input}":
        found = marked(asked)
        return asked if found is None else found
    before, after = pattern.split("{input}")
    if not asked.startswith(before) or not asked.endswith(after):
        asked, before, after = asked.strip(), before.lstrip(), after.rstrip()
    if len(asked) < len(before) + len(after):
        return None
    if not asked.startswith(before) or not asked.endswith(after):
        return None
    return asked[len(before) : len(asked) - len(after)]


def _told(error: Exception, where: str) -> str:
    said = str(error)
    return said if said.startswith(where) else f"{where}: {said or type(error).__name__}"
