"""The fine-tune of `kind: extract`: a compact tagger, and compiled shapes that answer before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whichlever.data.learn_fields import aligned_rows, labelled
from whichlever.errors import DataError
from whichlever.fields.schema import Schema
from whichlever.fields.spans import Parsed
from whichlever.infer.cascade import Cascade
from whichlever.infer.shapes import ShapeBook
from whichlever.infer.tagger import Tagger
from whichlever.levers.base import Context, Fit
from whichlever.levers.field_goal import Sureness
from whichlever.levers.parsing import (
    CHOSEN,
    PARSER,
    LineParser,
    Parsing,
    judged,
    load_files,
    load_sureness,
    save_files,
    save_sureness,
)
from whichlever.predict import Row
from whichlever.run import read_json, write_json
from whichlever.task import FinetuneSettings

SHAPES, FILES = "shapes.json", "files.json"
SHARE = 0.45
"""Of the minutes, what one training may take: there are two, before and after choosing."""


class FinetuneTagger:
    """Trains a tagger of lines, compiles the labelled lines' shapes, and asks the shapes first.

    Whether shapes answer first, and how sure the answers are, is told by validation lines that
    neither has learned from; then both learn from them too (``refit``). Each line is answered by
    itself: shapes that a parser in use learns from its own answers are no part of the measure.

    Parameters
    ----------
    settings
        ``minutes`` and ``refit`` count.
    """

    id = "finetune-tagger"

    def __init__(self, settings: FinetuneSettings) -> None:
        self._settings = settings

    def settings(self) -> Mapping[str, Any]:
        """What the tagger depends on, and the version of the method."""
        return {"minutes": self._settings.minutes, "refit": self._settings.refit, "method": 1}

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Both trainings, within the minutes."""
        return min(self._settings.minutes * 60, 10 + 0.05 * (train + valid))

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Train, choose on ``valid``, and keep the parser in the lever's folder.

        Raises
        ------
        DataError
            No training line has a field that stands in it.
        """
        if context.schema is None or not any(row.fields for row in train):
            raise DataError("finetune-tagger: no training line has a field; look at data.target")
        home = context.folder / PARSER
        if not (home / CHOSEN).exists():
            self._train(home, train, valid, context, context.schema)
        facts = read_json(home / CHOSEN)
        shapes = " after compiled shapes" if facts["shapes_first"] else ""
        return Fit(
            predictor=Parsing(load_parser(home), load_sureness(home)),
            what=f"a tagger of lines, trained on {facts['rows']:,} of them,{shapes or ' alone'}",
            chosen=facts,
            rows_seen=int(facts["rows"]),
        )

    def _train(
        self,
        home: Path,
        train: Sequence[Row],
        valid: Sequence[Row],
        context: Context,
        schema: Schema,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        files, book = self._fitted(train, context, schema)
        chosen: dict[str, Any] = {"shapes_first": True}
        sureness = None
        rows: Sequence[Row] = train
        if valid:
            metric = context.task.goal.metric
            tagger = Tagger.from_bytes(files)
            alone, by_tagger = judged(tagger, valid, metric, schema)
            cascade = Cascade(book, tagger, learn=False)
            both, by_both = judged(cascade, valid, metric, schema)
            chosen = {
                "shapes_first": both >= alone,
                f"validation_{metric}": {"tagger": alone, "shapes, then tagger": both},
                "valid_score": max(alone, both),
                "validation_lines_by_shapes": sum(a.shape is not None for a in by_both),
                "on_rows": len(valid),
            }
            sureness = Sureness.fit(valid, by_both if both >= alone else by_tagger, schema)
            if self._settings.refit:
                rows = [*train, *valid]
                files, book = self._fitted(rows, context, schema)
        save_files(home, files)
        if chosen["shapes_first"]:
            save_files(home, {SHAPES: book.to_bytes()})
        save_sureness(home, sureness)
        write_json(home / FILES, sorted(files))
        facts = {**chosen, "rows": len(rows), "shapes": len(book) if chosen["shapes_first"] else 0}
        write_json(home / CHOSEN, facts)  # last: its being there is what makes the fit done

    def _fitted(
        self, rows: Sequence[Row], context: Context, schema: Schema
    ) -> tuple[dict[str, bytes], ShapeBook]:
        from whichlever.models.tagger import train_tagger

        files = train_tagger(
            [labelled(row) for row in rows],
            (),
            schema,
            seed=context.seed,
            seconds=self._settings.minutes * 60 * SHARE,
            progress=context.progress,
        )
        return files, compiled_shapes(rows, schema)


def compiled_shapes(rows: Sequence[Row], schema: Schema) -> ShapeBook:
    """The shapes of labelled lines."""
    book = ShapeBook(schema)
    book.learn_many(
        (
            (found.line.text, Parsed(found.spans, 1.0), found.line.source)
            for found in aligned_rows(rows)
            if found.spans
        ),
        labelled=True,
    )
    return book


def load_parser(home: Path) -> LineParser:
    """The parser that a fit kept."""
    tagger = Tagger.from_bytes(load_files(home, read_json(home / FILES)))
    if not (home / SHAPES).exists():
        return tagger
    book = ShapeBook.from_bytes((home / SHAPES).read_bytes())
    return Cascade(book, tagger, learn=False)
