"""How many threads training uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def core_count() -> int:
    """The cores that this process may use, or fewer where OMP_NUM_THREADS says so."""
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(have, int(asked)) if asked.isdecimal() and int(asked) > 0 else have


@contextmanager
def training_threads(threads: int | None) -> Iterator[int]:
    """Set torch's threads (default: the cores this process may use) and put them back after."""
    import torch

    before = torch.get_num_threads()
    count = threads or core_count()
    torch.set_num_threads(count)
    try:
        yield count
    finally:
        torch.set_num_threads(before)
