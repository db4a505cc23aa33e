"""A policy in use: which rows are closed, and which of those a person looks at all the same."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from whichlever.calibrate.closing import CAP, closing_scores

Share = Annotated[float, Field(ge=0, le=1)]
SUM_WITHIN = 1e-3
"""Scores are probabilities: they may differ from 1 in sum by this."""


class Promised(BaseModel):
    """The promise a policy was made with, and what it stands on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["high confidence", "expected loss"]
    scope: Literal["deployment", "each_group", "new_groups"]
    text: str
    at_most: float = Field(gt=0, lt=1)
    confidence: float = Field(ge=0.8, lt=1)
    units: int = Field(ge=1)


class Policy(BaseModel):
    """What closes rows, as its file says it; the salt is a secret.

    ``threshold`` is in log-odds before calibration (`closing_scores`); ``temperature`` is what the
    scores that come in were scaled by. ``protected_among_closed`` is the share of protected rows
    among closed ones that the promise allowed for, at the share of protected rows seen then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: Literal[1] = 1
    task: str
    lever: str
    what: str
    fit: str
    labels: tuple[str, ...] = Field(min_length=2)
    label: str
    protect: tuple[str, ...] = Field(min_length=1)
    threshold: float = Field(ge=-CAP - 2, le=CAP + 1)
    temperature: float = Field(gt=0)
    promise: Promised
    review: Share
    salt: str = Field(pattern=r"^[0-9a-f]{64}$")
    protected_among_closed: Share

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in (self.label, *self.protect):
            if name not in self.labels:
                raise ValueError(f"{name!r} is not one of the labels")
        if self.label in self.protect or len(set(self.labels)) < len(self.labels):
            raise ValueError("a label stands twice, or is both closed and protected")
        return self

    def sampled(self, ident: str) -> bool:
        """Whether a closed row of this id is looked at all the same.

        A keyed hash decides (BLAKE2b, RFC 7693): the same row always gets the same answer, and
        who does not know the salt can neither foresee nor choose it.
        """
        keyed = hashlib.blake2b(
            ident.encode("utf-8", "surrogatepass"),
            key=bytes.fromhex(self.salt),
            digest_size=8,
            person=b"wl-review",
        )
        return int.from_bytes(keyed.digest(), "big") < self.review * 2**64


@dataclass(frozen=True)
class Decision:
    """What becomes of one row, and why in one sentence."""

    closed: bool
    review: bool
    why: str


def decide_row(
    policy: Policy, ident: str, label: str, scores: Mapping[str, float], *, abstain: bool = False
) -> Decision:
    """Close one row or leave it open.

    Raises
    ------
    ValueError
        The scores are not a probability for each of the policy's labels, or the label is none.
    """
    vector = _probabilities(policy, scores)
    if label not in policy.labels:
        raise ValueError(f"the label {label!r} is not one of the policy's labels")
    if abstain:
        return Decision(False, False, "the model abstains")
    if label != policy.label:
        return Decision(False, False, f"the model answers {label}")
    place = {name: i for i, name in enumerate(policy.labels)}
    score = closing_scores(
        vector[None, :],
        np.array([place[label]]),
        place[policy.label],
        [place[name] for name in policy.protect],
        policy.temperature,
    )[0]
    if not score > policy.threshold:
        return Decision(False, False, "not sure enough to close")
    if policy.sampled(ident):
        return Decision(True, True, "closed, and drawn for review")
    return Decision(True, False, "closed by the promise")


def _probabilities(policy: Policy, scores: Mapping[str, float]) -> np.ndarray:
    if set(scores) != set(policy.labels):
        odd = sorted(set(scores) ^ set(policy.labels))
        raise ValueError(f"scores and the policy's labels differ in {odd[0]!r}")
    values = [scores[name] for name in policy.labels]
    for name, value in zip(policy.labels, values, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"the score of {name!r} is not a number")  # noqa: TRY004 - one error
        if not 0 <= value <= 1:
            raise ValueError(f"the score of {name!r} is not between 0 and 1")
    if abs(math.fsum(values) - 1) > SUM_WITHIN:
        raise ValueError("the scores do not sum to 1")
    return np.array(values, dtype=np.float64)
