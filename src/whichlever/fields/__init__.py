"""Named fields copied out of a line: spans, declared normalisers, and the values they make."""

from whichlever.fields.align import Aligned, Alignment, align
from whichlever.fields.schema import Schema, infer
from whichlever.fields.spans import LabelledLine, Parsed, Span
from whichlever.fields.values import fields_of

__all__ = [
    "Aligned",
    "Alignment",
    "LabelledLine",
    "Parsed",
    "Schema",
    "Span",
    "align",
    "fields_of",
    "infer",
]
