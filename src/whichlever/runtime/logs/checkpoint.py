"""Where a stream stands, so that the same command goes on at the byte after a kill or a stop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from whichlever.errors import InputError
from whichlever.run import write_text
from whichlever.runtime.logs.position import Position


@dataclass(frozen=True)
class Checkpoint:
    """What is certain: events up to ``events`` are in the first ``out`` bytes of the output.

    ``files`` is where each input file stands; ``job`` is all else that the output depends on.
    """

    job: Mapping[str, str]
    events: int = 0
    out: int = 0
    files: Mapping[str, Position] = field(default_factory=dict)


class State:
    """The file that holds a checkpoint.

    Parameters
    ----------
    path
        Where it is; None keeps none.
    job
        Bundle, manner and rules as digests or words: a stream that differs in one is another.
    """

    def __init__(self, path: Path | None, job: Mapping[str, str]) -> None:
        self.path, self.job = path, dict(job)

    def read(self) -> Checkpoint | None:
        """The checkpoint to go on from; None where there is none.

        Raises
        ------
        InputError
            It is of another stream, or damaged.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            said: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            job = {str(k): str(v) for k, v in said["job"].items()}
            files = {str(k): Position(**v) for k, v in said["files"].items()}
            found = Checkpoint(job, int(said["events"]), int(said["out"]), files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{self.path}: no checkpoint of a stream; give another --state, or --restart"
            ) from error
        for name, value in self.job.items():
            if job.get(name) != value:
                raise InputError(
                    f"{self.path} is of a stream with another {name}; go on as before, give "
                    "another -o or --state, or --restart to begin anew"
                )
        return found

    def write(self, events: int, out: int, files: Mapping[str, Position]) -> None:
        """Say what is certain; the output is on the disk already."""
        if self.path is not None:
            said = asdict(Checkpoint(self.job, events, out, dict(files)))
            write_text(self.path, json.dumps(said, indent=1) + "\n")

    def forget(self) -> None:
        """Begin anew."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
