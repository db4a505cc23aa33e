"""Alerts in a file or pipe become incidents, one JSON line each, as they close.

A file that can be read twice is read once for its entities that are everywhere and once for its
incidents; a pipe judges entities by what has come so far. Either way one window of alerts is kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from whichlever.data.columns import cell, seconds, word
from whichlever.data.files import find_source
from whichlever.data.incidents import Alert, Grouper, Incident
from whichlever.data.linking import entities_of
from whichlever.data.presence import Presence
from whichlever.data.records import read_records
from whichlever.errors import DataError
from whichlever.render import Pack

IDS_SHOWN = 1_000
"""Alert ids that one line lists."""


@dataclass(frozen=True)
class Reading:
    """How alerts are read.

    ``entity`` are columns or JSON pointers; without any the pack finds entities. ``time`` and
    ``id`` may be None: then the pack tells the time, and an alert's id is its line. ``label`` is
    the column of its label, where there is one; ``order`` lists labels, the most urgent first.
    """

    pack: Pack | None = None
    entity: tuple[str, ...] = ()
    time: str | None = None
    id: str | None = None
    label: str | None = None
    order: tuple[str, ...] = ()


@dataclass
class Told:
    """What came of a stream."""

    alerts: int = 0
    incidents: int = 0
    alone: int = 0
    unlinked: int = 0
    late: int = 0


def incident_lines(
    name: str,
    path: Path | None,
    how: Reading,
    *,
    window: float,
    late: float,
    told: Told,
    moved: Callable[[int], None] = lambda count: None,
) -> Iterator[dict[str, Any]]:
    """Each incident of a file as a JSON-able line, in the order they close.

    Parameters
    ----------
    name, path
        The file; ``path`` None is standard input (JSON lines).
    window, late
        Seconds: how far apart linked alerts may lie, and how late one may come.
    told
        Filled in as the stream goes.
    moved
        Called now and then with the number of alerts read since.

    Raises
    ------
    DataError
        A line cannot be read, or has no time; with the line's number.
    """
    everywhere = None
    if path is not None:
        presence = Presence(window)
        for alert in read_alerts(_records(name, path, how.pack), name, how):
            presence.add(alert.time, alert.entities)
            moved(1)
        everywhere = presence.names()
    grouper = Grouper(window, everywhere, late)
    for alert in read_alerts(_records(name, path, how.pack), name, how):
        told.alerts += 1
        told.unlinked += not alert.entities
        yield from _told(grouper.add(alert), how.order, told)
        told.late = grouper.too_late
        moved(1)
    yield from _told(grouper.finish(), how.order, told)


def read_alerts(
    records: Iterable[tuple[int, Mapping[str, Any]]], name: str, how: Reading
) -> Iterator[Alert]:
    """Records as alerts, in the file's order."""
    for number, record in records:
        where = f"{name}:{number}"
        if how.time is not None:
            time = seconds(cell(record, how.time, where), how.time, where)
        else:
            moment = getattr(how.pack, "moment", lambda record: None)(record)
            if moment is None:
                raise DataError(f"{where}: no time in the alert; name its column with --time")
            time = float(moment)
        alert_id = (
            where if how.id is None else word(cell(record, how.id, where), how.id, "id", where)
        )
        label = None if how.label is None else record.get(how.label)
        yield Alert(
            alert_id,
            time,
            entities_of(record, how.entity, how.pack),
            label if isinstance(label, str) else None,
        )


def _told(incidents: Iterator[Incident], order: Sequence[str], told: Told) -> Iterator[Any]:
    for incident in incidents:
        told.incidents += 1
        told.alone += len(incident.alerts) == 1
        yield as_line(incident, order)


def as_line(incident: Incident, order: Sequence[str]) -> dict[str, Any]:
    """One incident as a JSON line says it; ``highest`` is its most urgent label."""
    known = [label for label in order if label in incident.labels]
    line: dict[str, Any] = {
        "incident": incident.id,
        "first": _iso(incident.first),
        "last": _iso(incident.last),
        "count": len(incident.alerts),
        "entities": dict(incident.entities),
        "highest": known[0] if known else None,
        "labels": dict(sorted(incident.labels.items())),
        "alerts": list(incident.alerts[:IDS_SHOWN]),
    }
    if len(incident.alerts) > IDS_SHOWN:
        line["alerts_left_out"] = len(incident.alerts) - IDS_SHOWN
    return line


def _iso(time: float) -> str:
    try:
        return datetime.fromtimestamp(time, tz=UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return repr(time)


def _records(
    name: str, path: Path | None, pack: Pack | None
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if path is not None:
        yield from read_records(find_source(name, path), pack)
        return
    stream: BinaryIO = sys.stdin.buffer
    records = pack.records("stdin.jsonl", stream) if pack is not None else _lines(stream)
    for number, record in records or _lines(stream):
        if isinstance(record, Exception):
            raise record if isinstance(record, DataError) else DataError(f"{name}: {record}")
        yield number, record


def _lines(stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any] | Exception]]:
    """JSON lines of a pipe, each bounded."""
    most = 1_000_000
    number = 0
    while line := stream.readline(most + 1):
        number += 1
        if not line.strip():
            continue
        try:
            record = json.loads(line) if len(line) <= most else None
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            yield number, DataError(f"-:{number}: not one JSON object of at most {most} bytes")
            return
        yield number, record
