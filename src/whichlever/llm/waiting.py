"""How long to wait before a request is tried again."""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 60.0
"""Seconds waited before one retry at most, whatever the server asks for."""


def retry_after(value: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (RFC 9110, 10.2.3); None where it does not."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def wait_seconds(attempt: int, asked: float | None) -> float:
    """Seconds before the next try: doubled each time with jitter, or what the server asked for."""
    own = 0.5 * 2.0**attempt * random.uniform(0.5, 1.0)
    return min(LONGEST_WAIT, own if asked is None else max(asked, own))
