"""The parser of a bundle, as streams use it."""

from __future__ import annotations

from whichlever.bundle import Opened
from whichlever.errors import InputError
from whichlever.runtime.logs.plan import Reading


def reading_of(opened: Opened) -> Reading:
    """What parses lines in a bundle.

    Raises
    ------
    InputError
        The bundle answers rows with labels; it reads no lines.
    """
    raise InputError(
        f"{opened.name}: it sorts rows and reads no lines; --format logs goes with kind: extract"
    )
