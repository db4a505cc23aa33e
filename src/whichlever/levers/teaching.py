"""Asking a teacher about rows, within a number of rows and a sum of money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from whichlever.errors import InputError
from whichlever.levers.ask_next import FIRST_SHARE, first_round, next_round, round_size
from whichlever.levers.base import Context, Fit
from whichlever.levers.taught import TeacherAnswers, price_of
from whichlever.predict import Row
from whichlever.settings_decoder import DistillSettings

CHUNK = 64
"""Rows asked between two writings of what the teacher said."""

PILOT = 8
"""Rows asked about to learn what one costs, where money bounds the asking."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """What became of the asking.

    Attributes
    ----------
    rows
        Those that were asked about, in that order.
    stopped
        Why the others were not, in a sentence; None where all that were wanted were asked.
    rounds
        Rounds of choosing; 0 where nothing was chosen.
    """

    rows: tuple[Row, ...]
    stopped: str | None
    rounds: int


class Teaching:
    """One teacher, its answers so far, and what may still be spent.

    Money is a hard bound: the first row is asked alone, and a chunk holds no more rows than the
    dollars left pay for at the dearest row yet; only a row dearer than every one before it can
    overrun. Every answer that the teacher gave in this RUN counts as spent, also to rows that
    other settings had chosen, and none is asked for again.

    Raises
    ------
    InputError
        There is a bound in dollars, and what the teacher costs cannot be known.
    """

    def __init__(
        self,
        name: str,
        settings: DistillSettings,
        teacher: Fit,
        answers: TeacherAnswers,
        context: Context,
    ) -> None:
        self._name, self._settings, self._teacher = name, settings, teacher
        self._answers, self._context = answers, context
        self.rows: list[Row] = []

    def ask(self, pool: Sequence[Row], sure: Sequence[Row]) -> Asked:
        """Ask about as many rows of the pool as may be asked.

        Parameters
        ----------
        sure
            Rows with their true labels, which choosing may learn from.
        """
        most = min(
            len(pool), self._settings.max_rows or len(pool), self._teacher.max_rows or len(pool)
        )
        rounds = 0
        with self._context.progress.step(f"{self._name}: ask the teacher", total=most) as bar:
            for places in self._rounds(pool, sure, most):
                rounds += 1
                for start in range(0, len(places), CHUNK):
                    part = [pool[i] for i in places[start : start + CHUNK].tolist()]
                    stopped = self._chunk(part)
                    bar.advance(len(part))
                    if stopped is not None:
                        return Asked(tuple(self.rows), stopped, rounds)
        left = len(pool) - most
        why = f"{left:,} rows were not asked about: the bound is {most:,} rows" if left else None
        return Asked(tuple(self.rows), why, rounds)

    def _rounds(self, pool: Sequence[Row], sure: Sequence[Row], most: int) -> Iterator[Ints]:
        """Places in the pool, a round at a time."""
        bounded = most < len(pool) or self._settings.dollars is not None
        if not bounded:
            yield np.arange(len(pool))
            return
        if self._settings.ask == "random" or not self._context.labels:
            order = np.random.default_rng(self._context.seed).permutation(len(pool))[:most]
            yield order.astype(np.int64)
            return
        asked, wanted = first_round(len(pool), most, self._context.seed), most
        if self._settings.dollars is not None:  # a few rows say how many the money pays for
            yield asked[:PILOT]
            wanted = min(most, self._payable())
            asked = asked[: max(PILOT, round(FIRST_SHARE * wanted))]
            yield asked[PILOT:]
        else:
            yield asked
        while len(asked) < most:  # where money ends it sooner, asking itself says so
            left = np.setdiff1d(np.arange(len(pool)), asked)
            size = min(round_size(wanted), most - len(asked))
            chosen = next_round(
                pool, left, [*sure, *self._learned()], self._context.labels, size,
                self._context.seed,
            )  # fmt: skip
            asked = np.concatenate((asked, chosen))
            yield chosen

    def _payable(self) -> int:
        """Rows that the dollars are about enough for, by what rows took so far."""
        count, _ = self._answers.paid
        spent, most = self._spent(), self._settings.dollars or 0.0
        return max(1, int(most * count / spent)) if spent else 10**9

    def _learned(self) -> list[Row]:
        """The rows asked so far, each with the likeliest label."""
        labels = self._context.labels
        said = self._answers.probabilities(self.rows)
        return [
            replace(row, target=labels[int(own.argmax())])
            for row, own in zip(self.rows, said, strict=True)
            if own.sum() > 0
        ]

    def _chunk(self, rows: Sequence[Row]) -> str | None:
        """Ask about these rows; why it stopped before their end, if it did."""
        start = 0
        while start < len(rows):
            fresh = rows[start:]
            kept = next((i for i, row in enumerate(fresh) if not self._answers.has(row)), None)
            if kept != 0:  # an earlier start has these
                self._took(fresh[:kept])
                start += len(fresh) if kept is None else kept
                continue
            room = self._room()
            if room == 0:
                return (
                    f"the dollars were spent: ${self._spent():.4g} of "
                    f"${self._settings.dollars:g} on {len(self.rows):,} rows"
                )
            part = [row for row in fresh[:room] if not self._answers.has(row)]
            answers = self._teacher.predictor.predict(part)
            dollars = [price_of(a, self._teacher, self._context.task) for a in answers]
            self._answers.keep(part, answers, dollars)
            self._took(fresh[: min(room, len(fresh))])
            start += min(room, len(fresh))
        return None

    def _took(self, rows: Sequence[Row]) -> None:
        self.rows += rows

    def _room(self) -> int:
        """Rows that the money left pays for, a chunk at most."""
        most = self._settings.dollars
        if most is None:
            return CHUNK
        count, paid = self._answers.paid
        if not count:
            return 1
        if not paid:
            raise InputError(
                f"levers.distill.dollars: what {self._name}'s teacher costs is not known; give "
                "dollars_in and dollars_out, or price_as, under llms:, or leave dollars: out"
            )
        left = most - self._spent()
        return min(CHUNK, max(0, int(left / max(paid) + 1e-9))) if max(paid) else CHUNK

    def _spent(self) -> float:
        """Dollars of every answer that this teacher gave; one that failed is taken at the mean."""
        count, paid = self._answers.paid
        return sum(paid) * count / len(paid) if paid else 0.0
