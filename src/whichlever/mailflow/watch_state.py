"""How far a watched folder was read: a small file, so that a restart repeats and misses nothing."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from whichlever.errors import InputError

_MOST = 1_000_000


@dataclass
class WatchState:
    """What was judged of one folder.

    Attributes
    ----------
    at
        Which folder of whom, ``user@host:port/folder``.
    validity
        Its UIDVALIDITY (RFC 9051 2.3.1.1): with another one every UID means another mail.
    last
        All mails up to this UID were judged.
    again
        UIDs up to ``last`` that could not be judged yet, and how often they were tried.
    """

    at: str
    validity: int | None = None
    last: int = 0
    again: dict[int, int] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, at: str) -> WatchState:
        """The state in a file; a fresh one where there is none.

        Raises
        ------
        InputError
            It is no such file, or one of another folder.
        """
        try:
            with path.open("rb") as file:
                said = json.loads(file.read(_MOST))
            found = cls(
                str(said["at"]), None if said["validity"] is None else int(said["validity"]),
                int(said["last"]), {int(u): int(n) for u, n in said["again"].items()},
            )  # fmt: skip
        except FileNotFoundError:
            return cls(at)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path}: is no state of a watch; give another --state") from None
        if found.at != at:
            raise InputError(f"{path}: is the state of {found.at}; give another --state for {at}")
        return found

    def save(self, path: Path) -> None:
        """Write it, whole or not at all.

        Raises
        ------
        InputError
            It cannot be written.
        """
        said = {"at": self.at, "validity": self.validity, "last": self.last, "again": self.again}
        aside = path.with_name(path.name + ".part")
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(json.dumps(said) + "\n")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror})") from error
