"""A book as bytes of a bundle: plain JSON, with no literal that few lines had."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.errors import DataError
from whichlever.fields.schema import Schema
from whichlever.infer.shapes.known import Known, compiled
from whichlever.infer.shapes.merging import WORD, Place, opened
from whichlever.infer.shapes.shape import Evidence, Skeleton

FORMAT = 1
FLOOR = 3
"""Different lines in which a literal word must have stood to be stored."""
MAX_STORED = 50_000
_LETTERS = re.compile(r"[^\W_]{2}")


def word_lines(shapes: Sequence[Known]) -> Counter[str]:
    """Literal word → different lines of the shapes that hold it."""
    found: Counter[str] = Counter()
    for known in shapes:
        words = {word for _, word in _words(known.skeleton)}
        found.update(dict.fromkeys(words, max(1, known.evidence.lines)))
    return found


def _words(skeleton: Skeleton) -> Iterator[tuple[Place, str]]:
    for number, part in enumerate(skeleton.parts):
        if isinstance(part, str):
            for match in WORD.finditer(part):
                yield Place(number, *match.span()), match.group()


def stored(shapes: Sequence[Known], floor: int = FLOOR) -> dict[str, Known]:
    """Shapes as they may be stored, by the name they had: a word of few lines is a variable.

    A shape that this leaves without a word, that no longer gives its examples' spans, or that
    would now answer another shape's line otherwise, is left out.
    """
    lines = word_lines(shapes)
    kept: dict[str, Known] = {}
    renamed: dict[str, Known] = {}
    for known in shapes:
        rare = [place for place, word in _words(known.skeleton) if lines[word] < floor]
        made: Known | None = known
        if rare:
            made = compiled(opened(known.skeleton, rare), known.examples, known.evidence)
            if made is None or not _telling(made.skeleton) or _intrudes(made, shapes):
                continue
        assert made is not None
        # Shapes come best supported first: of two that are now the same, that one is kept.
        renamed[known.name] = kept.setdefault(made.name, made)
    return renamed


def _telling(skeleton: Skeleton) -> bool:
    """Whether literals are left that tell the shape from others: a word, or four marks a line."""
    literal = "".join(part for part in skeleton.parts if isinstance(part, str))
    return bool(_LETTERS.search(literal)) or len(literal.replace(" ", "")) >= 4


def _intrudes(made: Known, shapes: Sequence[Known]) -> bool:
    return any(
        made.spans(line) not in (None, spans)
        for other in shapes
        if other.skeleton.source == made.skeleton.source
        for line, spans in other.examples[:2]
    )


def to_bytes(
    schema: Schema,
    shapes: Mapping[str, Known],
    rivals: Mapping[str, set[str]],
    withdrawn: Mapping[str, str],
) -> bytes:
    """Write shapes that may be stored, with the schema that makes their values.

    Parameters
    ----------
    shapes
        As :func:`stored` returns them.
    rivals
        Name of a shape → names of those that gave other spans on some line.
    """
    pairs = {
        tuple(sorted((shapes[one].name, shapes[other].name)))
        for one, others in rivals.items()
        for other in others
        if one in shapes and other in shapes and shapes[one].name != shapes[other].name
    }
    kept = {known.name: known for known in shapes.values()}
    return json.dumps(
        {
            "format": FORMAT,
            "schema": json.loads(schema.to_json()),
            "shapes": [known.to_json() for known in sorted(kept.values(), key=Known.rank)],
            "rivals": sorted(pairs),
            "withdrawn": dict(sorted(withdrawn.items())),
        },
        ensure_ascii=True,
        separators=(",", ":"),
    ).encode("ascii")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a bundle holds of a book; rivals are pairs of names."""

    schema: Schema
    shapes: list[Known]
    rivals: list[tuple[str, str]]
    withdrawn: dict[str, str]


def from_bytes(content: bytes) -> Stored:
    """Read what :func:`to_bytes` wrote.

    Raises
    ------
    DataError
        It is no book of shapes, or one of a format that this version does not read.
    """
    try:
        found: Any = json.loads(content)
        if found["format"] != FORMAT:
            raise DataError(
                f"compiled shapes of format {found['format']!r}, this version reads {FORMAT}"
            )
        schema = Schema.from_json(json.dumps(found["schema"]))
        rows = found["shapes"]
        withdrawn = {str(name): str(why) for name, why in found["withdrawn"].items()}
        if len(rows) > MAX_STORED:
            raise DataError(f"{len(rows):,} compiled shapes; at most {MAX_STORED:,} are read")
        rivals = [(str(one), str(other)) for one, other in found["rivals"]]
        return Stored(schema, [_known(row) for row in rows], rivals, withdrawn)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DataError(f"these are no compiled shapes ({error}); pack the model again") from None


def _known(row: Mapping[str, Any]) -> Known:
    lines, right, wrong = (int(row[key]) for key in ("lines", "right", "wrong"))
    confidence = float(row["confidence"])
    if min(lines, right, wrong) < 0 or not 0 <= confidence <= 1:
        raise ValueError("counts below zero, or a confidence that is none")
    return Known(Skeleton.from_json(row), Evidence(lines, right, wrong, confidence))
