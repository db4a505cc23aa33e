"""Chains of many sources are one file, and it is read again."""

import numpy as np

from whichlever.fields import Schema
from whichlever.fields.normalise import Rule
from whichlever.infer.crf import Crf
from whichlever.infer.crf.chain import OUTSIDE, Chain


def test_chains_of_many_sources_are_read_again():
    chain = Chain(
        (OUTSIDE,), np.zeros(0, np.uint64), np.zeros(1, np.int64), np.zeros(0, np.int64),
        np.zeros(0), np.zeros((1, 1)),
    )  # fmt: skip
    many = {None: chain, **{f"source {i}": chain for i in range(40)}}
    again = Crf.from_bytes(Crf(Schema({"a": Rule()}), many).to_bytes())
    assert set(again.chains) == set(many)
