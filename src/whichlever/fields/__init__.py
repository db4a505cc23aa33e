"""Named fields copied out of a line: spans, declared normalisers, and the values they make."""

from whichlever.fields.spans import LabelledLine, Parsed, Span

__all__ = ["LabelledLine", "Parsed", "Span"]
