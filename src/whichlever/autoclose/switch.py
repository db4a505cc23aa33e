"""The kill switch: a file beside the policy, whose being there keeps every row open."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whichlever.errors import DataError

WHY_CHARS = 500


class Switch:
    """The switch of one policy file.

    Rows are closed only while the policy file is there and the switch file (the policy's name and
    ``.off``) is not. Whatever else the file system says, a folder that vanished or may not be
    read, is taken as off: what fails leaves rows open.
    """

    def __init__(self, policy: Path) -> None:
        self.policy = policy
        self.path = policy.with_name(policy.name + ".off")

    def closing(self) -> bool:
        """Whether rows may be closed at this moment: two calls of stat."""
        try:
            self.policy.stat()
        except OSError:
            return False
        try:
            self.path.lstat()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False

    def off(self, why: str, *, tripped: bool = False) -> None:
        """Keep every row open from now on; an earlier reason stays, a trip replaces it."""
        told = json.dumps(
            {"time": now(), "tripped": tripped, "why": why[:WHY_CHARS]}, ensure_ascii=False
        )
        if self.path.exists() and not (tripped and not self.tripped()):
            return
        # Being there is what counts: it is made in place, so that even a torn write is "off".
        with self.path.open("w", encoding="utf-8") as out:
            out.write(told + "\n")
            out.flush()
            os.fsync(out.fileno())

    def on(self, *, anyway: bool = False) -> None:
        """Allow closing again.

        Raises
        ------
        DataError
            The promise was shown broken, and nobody said "anyway".
        """
        if self.tripped() and not anyway:
            raise DataError(
                f"the promise of {self.policy} was shown to be broken ({self.why()}); make a new "
                "policy from newer calibration rows, or insist with --anyway"
            )
        self.path.unlink(missing_ok=True)

    def told(self) -> dict[str, Any]:
        """Who switched it off and why; empty where it is on or where the file says nothing."""
        try:
            read = json.loads(self.path.read_text(encoding="utf-8")[: 4 * WHY_CHARS])
        except (OSError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}

    def tripped(self) -> bool:
        """Whether a review switched it off."""
        return self.told().get("tripped") is True

    def why(self) -> str:
        """The reason in the file; "the switch file is there" where it holds none."""
        why = self.told().get("why")
        return why if isinstance(why, str) and why else "the switch file is there"


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
