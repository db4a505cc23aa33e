"""Compiled shapes: what a parser of lines has learned, as matchers that need no model."""

from whichlever.infer.shapes.book import ShapeBook
from whichlever.infer.shapes.matched import Matched
from whichlever.infer.shapes.shape import Skeleton

__all__ = ["Matched", "ShapeBook", "Skeleton"]
