"""Linear-chain conditional random fields over the tokens of a line; numpy only."""

from whichlever.infer.crf.parser import Crf

__all__ = ["Crf"]
