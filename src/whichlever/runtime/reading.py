"""A record as the text that a bundle's model reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.bundle.format import Reader
from whichlever.render.record import RecordText
from whichlever.render.registry import find_pack


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
        self.way = RecordText(pack, reader.input, reader.match, reader.hidden, reader.max_chars)

    def text(self, record: Mapping[str, Any]) -> str:
        """The text of a record, byte for byte as in training.

        Raises
        ------
        NoText
            A `DataError`: a column is missing, or its content makes no text that the model may
            read; the message names no content.
        """
        return self.way.of(record)
