"""A task's files as rows, each checked as it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from whichlever.closed import looks_closed
from whichlever.data.columns import cell, seconds, word
from whichlever.data.field_cells import Fields, field_values
from whichlever.data.files import find_source
from whichlever.data.linking import entities_of
from whichlever.data.open_set import GENUINE, IMPOSTOR, LABELS
from whichlever.data.records import read_records
from whichlever.data.rows import Dataset, Role
from whichlever.data.shape_groups import shapes_of
from whichlever.data.split import answers_are_free, assign_roles
from whichlever.data.target_map import TargetMap, say_unlabelled
from whichlever.errors import DataError
from whichlever.predict import Row
from whichlever.render import Pack, find_pack
from whichlever.render.record import NoText, RecordText, has
from whichlever.task import Task
from whichlever.taskfile import nearest

ROLE_WORDS: Mapping[str, Role] = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "calibrate": "calibrate",
    "calibration": "calibrate",
    "test": "test",
}
"""The words that a role column may hold, in any case."""


def read_dataset(task: Task) -> Dataset:
    """Read every row that the task names.

    Raises
    ------
    DataError
        One line: the file, the row, the field, and what to do about it.
    """
    reader = Reader(task, find_pack(task.pack) if task.pack else None)
    for role, name in _files(task):
        reader.read(name, role)
    reader.check_columns()
    rows = tuple(reader.rows)
    if task.kind == "extract":
        return _extracting(reader, rows)
    if task.kind == "generate":
        return _generating(reader, rows)
    if task.kind == "verify":
        return Dataset(rows, LABELS, reader.given, fingerprint(rows, reader.given))
    found = {row.target for row in rows}
    if len(found) < 2:
        only = f"only one label ({next(iter(found))!r})" if found else "no row"
        names = ", ".join(name for _, name in _files(task))
        raise DataError(
            f"{names}: {only} in {len(rows)} rows; a choice needs rows of at least two labels"
        )
    labels = tuple(task.labels) or _labels(rows, reader.given, task)
    for name in sorted(task.named_labels() - set(labels)):
        raise DataError(
            f"the task's mistakes or floors name {name!r}, a label that no row has"
            f"{nearest(name, labels)}"
        )
    print_of = fingerprint(rows, reader.given)
    unlabelled = dict(reader.map.unlabelled) if reader.map is not None else {}
    return Dataset(
        rows, labels, reader.given, print_of, reader.entities, reader.incidents, unlabelled
    )


def _extracting(reader: Reader, rows: tuple[Row, ...]) -> Dataset:
    """The rows of a task that copies fields out of lines."""
    task = reader.task
    files = ", ".join(name for _, name in _files(task))
    if not any(row.fields for row in rows):
        raise DataError(
            f"{files}: no row of {len(rows)} has a field in {task.data.target!r}; label some lines"
        )
    shapes = shapes_of(rows)
    if task.data.split.by == "shape" and task.data.group is None:
        rows = tuple(replace(row, group=shapes[row.id]) for row in rows)
    roles = assign_roles(rows, reader.given, task.data.split, shapes)
    taught = (row for row, role in zip(rows, roles, strict=True) if role != "test")
    names = tuple(task.fields) or tuple(sorted({n for row in taught for n in row.fields or ()}))
    print_of = fingerprint(rows, reader.given)
    return Dataset(
        rows, names, reader.given, print_of, shapes=shapes, files=dict(reader.line_files)
    )


def _generating(reader: Reader, rows: tuple[Row, ...]) -> Dataset:
    """The rows of a task whose answers are text; labels are the answers of a closed set."""
    task = reader.task
    free = answers_are_free(rows, task)
    roles = assign_roles(rows, reader.given, task.data.split, free=free)
    taught = [r.target for r, role in zip(rows, roles, strict=True) if role != "test" and r.target]
    answers = sorted(set(taught))
    files = ", ".join(name for _, name in _files(task))
    if task.answers is None and not looks_closed(taught):
        raise DataError(
            f"{files}: {len(answers)} different answers in {len(taught)} rows do not look like a "
            "closed set; say answers: open, or answers: closed to choose among them all the same"
        )
    labels = () if task.answers == "open" else tuple(answers)
    if task.answers != "open" and len(labels) < 2:
        raise DataError(
            f"{files}: only one answer in {len(taught)} rows; a choice needs at least two"
        )
    return Dataset(rows, labels, reader.given, fingerprint(rows, reader.given))


def fingerprint(rows: Iterable[Row], given: Mapping[str, Role]) -> str:
    """SHA-256 over every row as read, in order, as hexadecimal digits."""
    digest = hashlib.sha256()
    for row in rows:
        # As JSON, quotes and all: no two different rows have the same bytes.
        fields: list[Any] = [row.id, row.text, row.target, row.group, row.time, given.get(row.id)]
        fields += [] if row.document is None else [row.document]
        fields += [] if row.fields is None else [sorted(row.fields.items()), row.source]
        fields += [] if row.person is None else [row.person, row.author]
        digest.update(json.dumps(fields).encode("ascii"))
    return digest.hexdigest()


def _files(task: Task) -> list[tuple[Role | None, str]]:
    data = task.data
    if data.rows is not None:
        return [(None, data.rows)]
    named: tuple[tuple[Role, str | None], ...] = (
        ("train", data.train),
        ("valid", data.valid),
        ("calibrate", data.calibrate),
        ("test", data.test),
    )
    return [(role, name) for role, name in named if name is not None]


def _labels(rows: tuple[Row, ...], given: Mapping[str, Role], task: Task) -> tuple[str, ...]:
    roles = assign_roles(rows, given, task.data.split)
    kept = zip(rows, roles, strict=True)
    return tuple(sorted({r.target for r, role in kept if role != "test" and r.target is not None}))


@dataclass
class Reader:
    """Reads files one after another; ids are unique across all of them."""

    task: Task
    pack: tuple[Pack, int] | None
    rows: list[Row] = field(default_factory=list)
    given: dict[str, Role] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    entities: dict[str, tuple[str, ...]] = field(default_factory=dict)
    incidents: dict[str, str] = field(default_factory=dict)
    line_files: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inputs, data = self.task.data.input, self.task.data
        self.map = TargetMap(data.target_map, data.target) if data.target_map else None
        self.way = RecordText.of_task(self.task, self.pack)
        if self.pack is None and isinstance(inputs, list):
            self.unseen = list(inputs)

    def read(self, name: str, role: Role | None) -> None:
        """Add the rows of one file; ``role`` is theirs where the task gives the file one."""
        source = find_source(name, self.task.path(name))
        before = len(self.rows)
        pack = self.pack[0] if self.pack else None
        for number, record in read_records(source, pack, self.columns()):
            row = self.row_of(record, name, number, role)
            if row is None:
                continue
            self.rows.append(row)
            self._link(record, row, f"{name}:{number}")
            if (given := role or self._role(record, f"{name}:{number}")) is not None:
                self.given[row.id] = given
        if len(self.rows) == before:
            if self.map is not None and self.map.unlabelled:
                said = say_unlabelled(self.map.unlabelled)
                raise DataError(
                    f"{name}: no row has a label by data.target_map; {self.task.data.target!r} "
                    f"says {said}; map these values, or name another data.target"
                )
            raise DataError(f"{name}: no rows in it; it should hold one row per line")

    def check_columns(self) -> None:
        """Refuse an input column that no row has."""
        if self.unseen:
            raise DataError(
                f"{', '.join(n for _, n in _files(self.task))}: no row has the input column "
                f"{self.unseen[0]!r}; take it out of data.input, or correct it"
            )

    def columns(self) -> list[str] | None:
        """The top-level columns that will be looked at; None is all of them."""
        data = self.task.data
        if self.pack is not None or data.input is None:
            return None
        inputs = [data.input] if isinstance(data.input, str) else data.input
        named = [data.id, *inputs, data.target, data.group, data.time, data.split.column]
        named += [data.document, data.source, data.file, data.identity, data.author]
        if self.task.workload is not None:
            named += [*self.task.workload.entity, self.task.workload.incident]
        tops = [n.split("/")[1] if n.startswith("/") else n for n in named if n]
        return None if any("~" in top for top in tops) else list(dict.fromkeys(tops))

    def row_of(
        self, record: Mapping[str, Any], name: str, number: int, role: Role | None
    ) -> Row | None:
        """Make a record a row; None where no label is known for it, which is counted."""
        data, where = self.task.data, f"{name}:{number}"
        target = None
        if self.map is not None and (target := self.map.label(record)) is None:
            return None
        row_id = (
            where if data.id is None else word(cell(record, data.id, where), data.id, "id", where)
        )
        if row_id in self.places:
            file, line = self.places[row_id]
            raise DataError(
                f"{where}: id {row_id!r} stands already at {file}:{line}; ids must be unique "
                "(leave data.id out to number rows by file and line)"
            )
        self.places[row_id] = (name, number)
        group = time = None
        if data.group is not None:
            group = self._word(cell(record, data.group, where), data.group, "group", where)
        if data.time is not None and not (role == "test" and record.get(data.time) is None):
            # Test rows given apart need no time: it only orders rows that are to be split.
            time = seconds(cell(record, data.time, where), data.time, where)
        document = None
        if data.document is not None:
            document = self._word(cell(record, data.document, where), data.document, "name", where)
        if self.task.kind == "extract":
            fields, source = self._fields(record, where), self._named(record, data.source, where)
            if (came_from := self._named(record, data.file, where)) is not None:
                self.line_files[row_id] = came_from
            text = self._text(record, where)
            return Row(row_id, text, None, group, time, fields=fields, source=source)
        if self.task.kind == "verify":
            return self._claim(
                Row(row_id, self._text(record, where), None, group, time), record, where
            )
        if target is None:
            target = self._target(record, where)
        source = self._named(record, data.source, where)
        text = self._text(record, where)
        trusted = self.way.trusted(record) if self.way.untrusted else None
        return Row(row_id, text, target, group, time, document, source=source, trusted=trusted)

    def _claim(self, row: Row, record: Mapping[str, Any], where: str) -> Row:
        """A row of `kind: verify`: whose name it bears, who wrote it, and what is said of both."""
        data = self.task.data
        person = self._named(record, data.identity, where)
        author = self._named(record, data.author, where)
        if person is None or author is None:
            column = data.identity if person is None else data.author
            raise DataError(f"{where}: {column!r} is empty; verify needs it in every row")
        said = cell(record, data.target, where)
        words = {"true": GENUINE, "false": IMPOSTOR}
        target = words.get(str(said).lower(), said) if isinstance(said, str | bool) else None
        if target not in LABELS:
            raise DataError(f"{where}: {data.target!r} is {said!r}; write genuine or impostor")
        if (target == GENUINE) != (person == author):
            raise DataError(
                f"{where}: {data.target!r} says {target}, but {data.identity!r} is {person!r} and "
                f"{data.author!r} is {author!r}"
            )
        return replace(row, target=target, person=person, author=author)

    def _fields(self, record: Mapping[str, Any], where: str) -> Fields:
        column = self.task.data.target
        return field_values(cell(record, column, where), column, where, self.task.fields)

    def _named(self, record: Mapping[str, Any], column: str | None, where: str) -> str | None:
        """A word that may be missing; None where it is, or where there is no such column."""
        value = None if column is None else cell(record, column, where)
        if column is None or value is None:
            return None
        return self._word(value, column, "name", where)

    def _word(self, value: Any, column: str, what: str, where: str) -> str:  # noqa: ANN401
        """One shared string per distinct word: 100,000 rows have few labels and groups."""
        if type(value) is str and value in self.words:
            return self.words[value]
        text = word(value, column, what, where)
        return self.words.setdefault(text, text)

    def _link(self, record: Mapping[str, Any], row: Row, where: str) -> None:
        """Keep who and what a row names, each word once, where alerts are to be linked."""
        workload = self.task.workload
        if workload is None or row.time is None:
            return
        found = entities_of(record, workload.entity, self.pack[0] if self.pack else None)
        if found:
            self.entities[row.id] = tuple(self.words.setdefault(name, name) for name in found)
        if workload.incident is not None:
            value = cell(record, workload.incident, where)
            if value is not None:
                self.incidents[row.id] = word(value, workload.incident, "incident", where)

    def _target(self, record: Mapping[str, Any], where: str) -> str:
        column = self.task.data.target
        label = self._word(cell(record, column, where), column, "target", where)
        if self.task.labels and label not in self.task.labels:
            raise DataError(
                f"{where}: {column!r} is {label!r}, which is not one of the task's labels"
                f"{nearest(label, self.task.labels)}"
            )
        return label

    def _text(self, record: Mapping[str, Any], where: str) -> str:
        if self.unseen:
            self.unseen = [path for path in self.unseen if not has(record, path)]
        try:
            return self.way.of(record)
        except NoText as error:
            raise self._explained(error, record, where) from error

    def _explained(self, error: NoText, record: Mapping[str, Any], where: str) -> DataError:
        """The error with its place, its cause and what to do; it may quote the record."""
        if error.reason == "column":
            try:
                cell(record, error.field, where)
            except DataError as named:
                return named
        if error.reason == "long":
            return DataError(
                f"{where}: {error.field!r} has {error.number} characters, more than "
                f"data.max_chars ({self.way.max_chars}); shorten or drop the row, or raise "
                "data.max_chars"
            )
        if error.reason == "columns":
            inputs = self.task.data.input or [""]
            return DataError(f"{where}: {error}{nearest(inputs[0].lstrip('/'), record)}")
        cause, said = error.__cause__, str(error)
        if isinstance(cause, KeyError):
            said = f"the pack cannot render the record (no field {cause})"
        elif error.reason == "pack" and cause is not None:
            said = f"the pack cannot render the record ({cause})"
        elif error.reason == "value":
            said = f"the input cannot be written as text ({cause})"
        elif error.reason == "empty":
            said += "; fill it in or drop the row"
        elif error.reason == "surrogate":
            said += "; write the character out or remove it"
        return DataError(f"{where}: {said}")

    def _role(self, record: Mapping[str, Any], where: str) -> Role | None:
        column = self.task.data.split.column
        if column is None:
            return None
        said = word(cell(record, column, where), column, "role", where)
        role = ROLE_WORDS.get(said.strip().casefold())
        if role is None:
            raise DataError(
                f"{where}: {column!r} is {said!r}, not a role; "
                "write train, valid, calibrate or test"
            )
        return role
