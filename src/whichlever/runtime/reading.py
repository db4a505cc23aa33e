"""A record as the text that a bundle's model reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.bundle.format import Reader
from whichlever.errors import DataError
from whichlever.render import find_pack, plain
from whichlever.render.matching import matched


class RecordReader:
    """Renders records by the renderer that the bundle names.

    Raises
    ------
    TaskError
        The pack is not installed, or does not speak that version.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._pack = None if reader.pack is None else find_pack(reader.pack)

    def text(self, record: Mapping[str, Any]) -> str:
        """The text of a record, as in training.

        Raises
        ------
        DataError
            A field is missing or the text is too long; the message names no content.
        """
        reader = self.reader
        try:
            if self._pack is not None:
                text = self._pack[0].render(record, self._pack[1])
            else:
                assert reader.input is not None
                names = reader.input if isinstance(reader.input, str) else list(reader.input)
                text = plain(record, names)
                if reader.match is not None:
                    text = matched(str(record.get(reader.match, "")), text)
        except KeyError as error:
            raise DataError(f"field {error.args[0]!r} is missing") from None
        if len(text) > reader.max_chars:
            raise DataError(f"{len(text)} characters; at most {reader.max_chars} are read")
        return text
