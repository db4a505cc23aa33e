"""A text cut into the units that an explanation names: words, and what stands between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

# A compound name (an address, a path, a CVE number) is one unit. Never given back: linear time.
_UNIT = re.compile(r"\w++(?:[-./:\\@]++\w++)*+|[^\w\s]++")


@dataclass(frozen=True)
class Units:
    """Where a text's units stand.

    Attributes
    ----------
    text
        The text.
    starts, ends
        Half-open code-point offsets of each unit, in order.
    of
        Unit of each character, shape (characters,); white space belongs to the unit before it.
    """

    text: str
    starts: Ints
    ends: Ints
    of: Ints

    @classmethod
    def cut(cls, text: str) -> Units:
        """Cut a text."""
        spans = np.array([m.span() for m in _UNIT.finditer(text)], np.int64).reshape(-1, 2)
        starts, ends = spans[:, 0], spans[:, 1]
        of = np.searchsorted(starts, np.arange(len(text)), side="right") - 1
        return cls(text, starts, ends, np.maximum(of, 0))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> str:
        return self.text[self.starts[i] : self.ends[i]]
