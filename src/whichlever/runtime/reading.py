"""A record as the text that a bundle's model reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from whichlever.bundle.format import Reader
from whichlever.predict import Row
from whichlever.render.plain import pointer
from whichlever.render.record import RecordText
from whichlever.render.registry import find_pack

LONGEST_ID = 1_000
"""Characters of an id at most; the rest is cut off."""


class RecordReader:
    """Renders records by the renderer that the bundle names.

    Attributes
    ----------
    reader
        The bundle's own words on how it reads.
    way
        The function that training used, with the same settings.

    Raises
    ------
    TaskError
        The pack is not installed, or does not speak that version.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        pack = None if reader.pack is None else find_pack(reader.pack)
        self.way = RecordText(
            pack, reader.input, reader.match, reader.hidden, reader.max_chars, reader.untrusted
        )
        self._opened = None if pack is None else getattr(pack[0], "opened", None)

    def text(self, record: Mapping[str, Any]) -> str:
        """The text of a record, byte for byte as in training.

        Raises
        ------
        NoText
            A `DataError`: a column is missing, or its content makes no text that the model may
            read; the message names no content.
        """
        return self.way.of(record)

    def trusted(self, record: Mapping[str, Any]) -> str | None:
        """Its text without the fields that an attacker writes; None where none is named."""
        return self.way.trusted(record)

    def source(self, record: Mapping[str, Any]) -> str | None:
        """What wrote the record's line, by the bundle's column; None where it is not known."""
        if self.reader.source is None:
            return None
        try:
            found = pointer(record, self.reader.source)
        except Exception:  # a record is hostile
            return None
        return found[:LONGEST_ID] if isinstance(found, str) and found else None

    def row(self, name: str, given: str | Mapping[str, Any]) -> Row:
        """A text or a record as the row that the model reads.

        Raises
        ------
        NoText
            As `text`.
        """
        if isinstance(given, str):
            return Row(name, given)
        text = self.text(given)
        return Row(name, text, source=self.source(given), trusted=self.trusted(given))

    def ident(self, record: Mapping[str, Any]) -> str | int | float | None:
        """The record's id by the bundle's own column or JSON pointer; None where it has none.

        Where a format has its id elsewhere (Elastic, OCSF), the pack finds it as in training.
        """
        if self.reader.id is None:
            return None
        try:
            record = record if self._opened is None else self._opened(record)
            found = pointer(record, self.reader.id)
        except Exception:  # a pack is foreign code, and its record is hostile
            return None
        if isinstance(found, str):
            return found[:LONGEST_ID]
        known = isinstance(found, int) or (isinstance(found, float) and math.isfinite(found))
        return found if known else None
