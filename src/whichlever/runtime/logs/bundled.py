"""The parser of a bundle, as streams use it."""

from __future__ import annotations

from whichlever.bundle import Opened
from whichlever.errors import InputError
from whichlever.runtime.line_model import load_line_model
from whichlever.runtime.logs.plan import Reading, name_of


def reading_of(opened: Opened, *, learn: bool = True) -> Reading:
    """What parses lines in a bundle.

    Parameters
    ----------
    learn
        Whether its confident answers become shapes while it runs, so that the second line of a
        shape costs no model. An answer may then depend on the lines before it.

    Raises
    ------
    InputError
        The bundle answers rows with labels; it reads no lines.
    """
    manifest = opened.manifest
    if manifest.kind != "extract":
        raise InputError(
            f"{opened.name}: it sorts rows and reads no lines; --format logs goes with "
            "kind: extract"
        )
    model = load_line_model(opened, learn=learn)
    # The parser itself, not the model around it: a shape's answer is made when it is looked at.
    return Reading(
        model.parser, name_of(opened), manifest.abstain_below, manifest.reader.max_chars, model.sure
    )
