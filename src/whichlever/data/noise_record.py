"""What is known of wrong labels: frozen, JSON in and out; no text in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Mistaken(_Frozen):
    """One cell of the noise matrix: about ``rows`` rows given ``given`` seem to be ``true``.

    ``share`` is of the rows that were given the label.
    """

    given: str
    true: str
    rows: float
    share: float


class Planted(_Frozen):
    """Wrong labels put among the rows on purpose, and how many of them were found.

    Attributes
    ----------
    rows
        Labels changed, each to another one drawn by the estimated noise matrix where that says
        anything of the label, else to any.
    among
        As many of the most suspicious rows as labels were changed or, by ``errors``, wrong before.
    found
        Changed labels among these. The share is about that of wrong labels in the list of suspects.
    low, high
        Interval of the share found (Clopper–Pearson, 95 %).
    errors, errors_low, errors_high
        Estimated number of labels that were wrong before, were those as easy to find as the
        planted ones; with its interval (bootstrap over clusters, 95 %).
    """

    rows: int
    among: int
    found: int
    low: float
    high: float
    errors: float
    errors_low: float
    errors_high: float


Side = Literal["train", "valid", "test"]


class Suspects(_Frozen):
    """Probably wrong labels among the rows of one role.

    Attributes
    ----------
    side
        The role.
    rows
        Rows judged.
    errors, errors_low, errors_high
        Estimated number of wrong labels: by the confident joint, or, where labels were planted,
        by those, if that is fewer. The interval (bootstrap over clusters, 95 %) is of the draw of
        rows and not of the models' own mistakes.
    joint_errors
        By the confident joint, which counts hard rows as wrong.
    listed
        Rows whose label is suspected: the most suspicious, as many as were estimated.
    mistaken
        Which label seems to have been taken for which, most rows first.
    """

    side: Side
    rows: int
    errors: float
    errors_low: float | None
    errors_high: float | None
    joint_errors: float
    listed: int
    mistaken: tuple[Mistaken, ...] = ()


class Noise(_Frozen):
    """What confident learning found; the ranked rows stand in ``noise.parquet``.

    Attributes
    ----------
    train, valid, test
        What was found in each role; None where it has no rows, or test rows were not asked for.
    accuracy
        Share of training rows whose given label is the likeliest, out of fold.
    folds, clusters
        Folds, and clusters of duplicates (and groups, where asked) that were dealt into them.
    not_judged
        Rows left out, and why.
    weights
        Each model's weight in the pool.
    check
        What was found of planted errors; None where it was not asked for.
    """

    train: Suspects
    valid: Suspects | None = None
    test: Suspects | None = None
    accuracy: float
    folds: int
    clusters: int
    by_group: bool
    not_judged: dict[str, int]
    weights: dict[str, float]
    check: Planted | None = None

    @property
    def sides(self) -> tuple[Suspects, ...]:
        """What was found, role by role."""
        return tuple(s for s in (self.train, self.valid, self.test) if s is not None)


@dataclass(frozen=True, slots=True)
class Judged:
    """One row's label, judged.

    ``rank`` is 1 for the most suspicious of its side; ``confidence`` the probability of the given
    label; ``margin`` that less the probability of ``suggested``, the likeliest other label;
    ``suspect`` whether the row is among as many as are estimated to be wrong.
    """

    id: str
    role: str
    rank: int
    given: str
    suggested: str
    confidence: float
    margin: float
    suspect: bool
