"""Which of a run's levers is packed, and in one sentence why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.bundle.finished import Finished
from whichlever.errors import BundleError

RUNGS = (
    "finetune-static", "finetune-encoder", "finetune-joined", "finetune-tagger",
    "finetune-distilled", "finetune-distilled-linear", "finetune-distilled-encoder",
    "finetune-decoder", "finetune-distilled-decoder",
)  # fmt: skip
OWNED = ("linear", *RUNGS)
GUARDED = tuple(f"{name}-guarded" for name in OWNED)
PACKABLE = (*OWNED, *GUARDED, "hybrid")


@dataclass(frozen=True)
class Choice:
    """The lever to pack.

    Attributes
    ----------
    lever
        Its id in the run.
    why
        How it was chosen among several; empty where it was named.
    caution
        What the verdict says against it; empty where it is the lever that the verdict pulls.
    """

    lever: str
    why: str = ""
    caution: str = ""


def choose_lever(finished: Finished, asked: str | None = None) -> Choice:
    """Find the lever that is meant.

    Parameters
    ----------
    asked
        ``linear``, ``hybrid``, a rung, or ``finetune`` for the pulled rung, else the best one on
        validation rows; None for the lever that the verdict pulls, or where it pulls none, the
        best owned one on validation rows.

    Raises
    ------
    BundleError
        The run has no such lever, or it is one that cannot be owned.
    """
    if finished.task.kind == "verify":
        raise BundleError(
            f"{finished.run}: persons' styles go into no bundle, which others get to hold; "
            "enrol each person where mail is checked: whichlever mail enrol"
        )
    pulled = finished.verdict.get("lever")
    have = [name for name in PACKABLE if finished.summary(name) is not None]
    if not have:
        raise BundleError(
            f"{finished.run}: none of its levers can be packed (linear, finetune or hybrid); "
            "add one to the task's levers and compare again"
        )
    if asked is None and pulled is not None and pulled not in have:
        raise BundleError(
            f"the verdict pulls {pulled}, which asks somebody else or reads the labelled rows "
            f"and is no model to own; name another with --lever: {', '.join(have)}"
        )
    if asked is not None and asked not in (*PACKABLE, "finetune"):
        raise BundleError(
            f"--lever {asked}: give one of finetune, {', '.join(PACKABLE)}"
            f" (this run has: {', '.join(have)})"
        )
    lever, why = _meant(finished, asked, pulled, have)
    return Choice(lever, why, _caution(finished.verdict, lever))


def _meant(
    finished: Finished, asked: str | None, pulled: str | None, have: list[str]
) -> tuple[str, str]:
    if asked is None and pulled is not None:
        return pulled, "the lever that the verdict pulls"
    if asked in have:
        return str(asked), ""
    if asked == "finetune" and pulled in RUNGS:
        return str(pulled), "the rung that the verdict pulls"
    among = [n for n in have if n in (RUNGS if asked == "finetune" else OWNED)]
    if (asked is not None and asked != "finetune") or not among:
        raise BundleError(
            f"{finished.run} has no {asked or 'owned'} lever; it has: {', '.join(have)}"
        )
    scores = {name: validation_score(finished.summary(name) or {}) for name in among}
    known = {name: score for name, score in scores.items() if score is not None}
    if not known:
        return among[0], "no validation score is kept: the first of its kind"
    best = max(known, key=lambda name: known[name])
    others = ", ".join(f"{n} {s:.3f}" for n, s in known.items() if n != best)
    what = f"best on validation rows: {finished.measures.get('metric')} {known[best]:.3f}"
    return best, what + (f" ({others})" if others else "")


def validation_score(summary: Mapping[str, Any]) -> float | None:
    """A lever's score on validation rows, by the goal's metric, before it learned from them."""
    chosen = summary.get("chosen") or {}
    validation = chosen.get("validation")
    found = validation.get("score") if isinstance(validation, dict) else chosen.get("valid_score")
    return float(found) if isinstance(found, int | float) else None


def _caution(verdict: Mapping[str, Any], lever: str) -> str:
    if verdict.get("lever") == lever:
        return ""
    if verdict.get("outcome") == "cannot tell":
        return f"the verdict cannot tell which lever to pull; {lever} is packed all the same"
    if verdict.get("outcome") == "none eligible":
        return f"the verdict finds no lever eligible; {lever} is packed all the same"
    return f"the verdict pulls {verdict.get('lever')}, not {lever}"
