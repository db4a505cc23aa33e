"""Scores of validation rows by a model that had not learned from them.

A lever may learn from its validation rows once it has chosen on them. What is chosen afterwards,
such as the weights of a joined model, needs scores from before that.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from whichlever.errors import RunError
from whichlever.run import written_aside

FILE = "held_out.npz"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Probabilities of validation rows, before any refit on them.

    Attributes
    ----------
    ids
        Row ids, length n; the lever may have scored a draw of the validation rows only.
    scores
        Float32, shape (n, labels), in the run's label order.
    """

    ids: tuple[str, ...]
    scores: npt.NDArray[np.float32]

    def save(self, folder: Path) -> None:
        """Write it into a lever's folder, aside and renamed."""
        content = io.BytesIO()
        # As bytes: numpy's text arrays lose trailing zeros, and hold no half characters.
        ids = "\n".join(i.replace("\\", "\\\\").replace("\n", "\\n") for i in self.ids)
        raw = np.frombuffer(ids.encode("utf-8", "surrogatepass"), np.uint8)
        np.savez(content, ids=raw, count=np.int64(len(self.ids)), scores=self.scores)
        with written_aside(folder / FILE) as aside:
            aside.write_bytes(content.getvalue())

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """What `save` wrote; None where the lever kept nothing.

        Raises
        ------
        RunError
            The file is damaged.
        """
        file = folder / FILE
        if not file.exists():
            return None
        try:
            with file.open("rb") as raw, np.load(raw, allow_pickle=False) as arrays:
                text = arrays["ids"].tobytes().decode("utf-8", "surrogatepass")
                scores, count = arrays["scores"], int(arrays["count"])
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise RunError(f"{file}: is damaged; remove its folder and fit again") from error
        ids = tuple(_unescaped(line) for line in text.split("\n")) if count else ()
        if scores.ndim != 2 or len(ids) != count or len(scores) != count:
            raise RunError(f"{file}: is damaged; remove its folder and fit again")
        return cls(ids, scores)


def _unescaped(line: str) -> str:
    parts = line.split("\\\\")
    return "\\".join(part.replace("\\n", "\n") for part in parts)
