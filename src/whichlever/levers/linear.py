"""The real floor: word and character n-grams, TF-IDF, and a linear model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from whichlever.errors import DataError
from whichlever.infer.linear import LinearModel
from whichlever.levers.base import Context, Fit
from whichlever.levers.held_out import HeldOut
from whichlever.levers.linear_fit import Candidate
from whichlever.levers.linear_search import Search, describe, fit_final, in_order, windows
from whichlever.predict import Row
from whichlever.task import LinearSettings

UNTUNED_SCALE = 3.0
"""Scale of the decision values where no validation row can set it."""


class Linear:
    """TF-IDF and a linear model, its settings chosen on validation rows.

    A lever that costs more has to beat it. Settings are chosen with the training rows alone; then
    the chosen ones are fitted again on training and validation rows together (``refit``), because
    validation rows are often the newest and labelling practice drifts. Calibration and test rows
    are never seen.
    """

    id = "linear"

    def __init__(self, settings: LinearSettings) -> None:
        self._settings = settings

    def settings(self) -> Mapping[str, Any]:
        """Every setting."""
        return {**self._settings.model_dump(mode="json"), "method": 2}

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """About the seconds of search and fit for texts of some hundred characters."""
        return min(self._settings.minutes * 60, 2 + 0.0025 * (train + valid))

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Choose settings on ``valid``, fit, and keep the model in the lever's folder.

        Raises
        ------
        DataError
            No training row has one of the run's labels.
        """
        home = context.folder / "model"
        if not home.is_dir():
            self._choose(train, valid, context).save(home)
        return replace(_fit(LinearModel.load(home)), held_out=HeldOut.load(context.folder))

    def _choose(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> LinearModel:
        labels, settings = context.labels, self._settings
        known = frozenset(labels)
        usable = [row for row in train if row.target in known]
        if not usable:
            raise DataError("linear: no training row has a label; look at data.target")
        rows, by = in_order(usable, context.seed)
        metric = context.task.goal.metric
        estimate = self.estimate_seconds(len(train), len(valid))
        with context.progress.step("linear: choose settings", estimate, estimate) as step:
            candidate, scale, facts, scored = _search(rows, by, valid, context, settings, step)
        if scored is not None:
            HeldOut(tuple(row.id for row in valid), scored).save(context.folder)
        refit = settings.refit and any(row.target in known for row in valid)
        final = rows
        if refit:
            more = [row for row in valid if row.target in known]
            final, _ = in_order([*rows, *more], context.seed)
        with context.progress.step(f"linear: fit ({describe(candidate)})"):
            model = fit_final(final, labels, candidate, scale, settings.max_features, context.seed)
        facts = {
            **candidate.as_json(),
            "metric": metric,
            **facts,
            "window_by": by,
            "refit": "train + valid" if refit else "train",
            "rows": model.facts["rows"],
            "columns": model.features.columns,
            "classes": len(model.seen),
            "scale": scale,
        }
        return LinearModel(model.features, model.weights, labels, model.seen, scale, facts)


def _search(
    rows: Sequence[Row],
    by: Literal["time", "random"],
    valid: Sequence[Row],
    context: Context,
    settings: LinearSettings,
    step: Any,  # noqa: ANN401 - a progress Step
) -> tuple[Candidate, float, dict[str, Any], Any]:
    """The chosen candidate, its scale, what to say about the choice, and validation scores."""
    if not any(row.target in context.labels for row in valid):
        middle = sorted(settings.c)[len(settings.c) // 2]
        candidate = Candidate(window=windows(settings, len(rows))[-1], c=middle)
        return candidate, UNTUNED_SCALE, {"valid_score": None, "why": "no validation rows"}, None
    search = Search(
        rows, by, valid, context.labels, context.task.goal.metric, settings, context.seed, step
    )
    candidate, scale = search.run()
    facts = {
        "valid_score": search.best_score,
        "valid_rows": len(valid),
        "why": "best on validation rows",
        "tried": [{**t.candidate.as_json(), "score": t.score} for t in search.tried if not t.why],
        "skipped": [{**t.candidate.as_json(), "why": t.why} for t in search.tried if t.why],
    }
    return candidate, scale, facts, search.held_out


def _fit(model: LinearModel) -> Fit:
    facts = model.facts
    family = "linear SVM" if facts["family"] == "svm" else "logistic regression"
    grams = "word and character n-grams" if facts["chars"] else "word n-grams"
    rows = int(facts["rows"])
    whole = facts["window"] == "all"
    which = "all" if whole else "the newest" if facts["window_by"] == "time" else "a random"
    soft = f" (weights halve every {facts['half_life']} rows)" if facts["half_life"] else ""
    return Fit(
        predictor=model,
        what=f"{family} on TF-IDF {grams}, fitted on {which} {rows} labelled rows{soft}",
        chosen=facts,
        rows_seen=rows,
    )
