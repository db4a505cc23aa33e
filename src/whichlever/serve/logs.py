"""One JSON line per request, without input; inputs only where asked for, and not for ever."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


def say(event: str, **more: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write one line to standard error."""
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = json.dumps({"time": when, "event": event, **more}, ensure_ascii=True, default=str)
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class InputLog:
    """Inputs and answers, one file a day; files older than the retention are deleted.

    Parameters
    ----------
    folder
        For its owner alone.
    days
        How long a file is kept after its day.
    """

    def __init__(self, folder: Path, days: float) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._days = folder, days
        self._checked = 0.0

    async def keep_retention(self, every: float = 600.0) -> None:
        """Delete what is over its time, also while nobody asks."""
        while True:
            self.expire(datetime.now(UTC), 0.0)
            await asyncio.sleep(every)

    def write(self, texts: Sequence[str], lines: Sequence[dict[str, Any]]) -> None:
        """Keep what was asked and answered."""
        now = datetime.now(UTC)
        self.expire(now)
        path = self._folder / f"{now:%Y-%m-%d}.jsonl"
        stamp = now.isoformat(timespec="milliseconds")
        said = "".join(
            json.dumps({"time": stamp, "input": text, "answer": line}) + "\n"
            for text, line in zip(texts, lines, strict=True)
        )
        with path.open("a", encoding="ascii") as file:
            file.write(said)
        path.chmod(0o600)

    def expire(self, now: datetime, every: float = 60.0) -> None:
        """Delete the files of days that are over for longer than the retention."""
        if time.monotonic() - self._checked < every and self._checked:
            return
        self._checked = time.monotonic()
        for path in self._folder.glob("????-??-??.jsonl"):
            try:
                day = datetime.strptime(path.stem, "%Y-%m-%d").replace(tzinfo=UTC)
            except ValueError:
                continue
            if now - (day + timedelta(days=1)) > timedelta(days=self._days):
                path.unlink(missing_ok=True)
