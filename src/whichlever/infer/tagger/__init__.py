"""Lines to spans by votes of hashed features; numpy only, the same code in training and serving."""

from whichlever.infer.tagger.parser import Tagger

__all__ = ["Tagger"]
