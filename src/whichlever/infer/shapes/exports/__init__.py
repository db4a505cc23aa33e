"""Compiled shapes as grok patterns and as a Vector program, so that a user owns the parser."""

from whichlever.infer.shapes.exports.files import FORMATS, export

__all__ = ["FORMATS", "export"]
