"""Training of the tagger that copies named fields out of lines."""

from whichlever.models.tagger.train import train_tagger

__all__ = ["train_tagger"]
