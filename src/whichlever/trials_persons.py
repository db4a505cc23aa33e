"""What trials of `kind: verify` hold beside: whose name each row bears."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from whichlever.predict import Row

COLUMN = "person"


def with_persons(frame: pl.DataFrame, rows: Sequence[Row]) -> pl.DataFrame:
    """Add to trial rows whose name they bear."""
    return frame.with_columns(pl.Series(COLUMN, [row.person for row in rows], dtype=pl.String))


def persons_of(frame: pl.DataFrame) -> npt.NDArray[np.str_]:
    """The persons that a lever's trial rows hold, shape (n,)."""
    return np.array(frame[COLUMN].to_list(), dtype=np.str_)
