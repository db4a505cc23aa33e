"""Rows: read and checked, split into the four roles, audited for leaks, fetched by checksum."""

from whichlever.data.audit import audit_splits
from whichlever.data.findings import Audit, Finding
from whichlever.data.read import read_dataset
from whichlever.data.rows import Dataset, Splits
from whichlever.data.split import split_rows

__all__ = ["Audit", "Dataset", "Finding", "Splits", "audit_splits", "read_dataset", "split_rows"]
