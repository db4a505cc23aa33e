"""Rows: read and checked, split into the four roles, audited for leaks, fetched by checksum."""

from whichlever.data.read import read_dataset
from whichlever.data.rows import Dataset, Splits
from whichlever.data.split import split_rows

__all__ = ["Dataset", "Splits", "read_dataset", "split_rows"]
