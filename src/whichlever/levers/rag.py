"""Retrieval for a language model: passages in the prompt, chosen on validation rows."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.data.stratify import stratified_order
from whichlever.errors import DataError, WeightsError
from whichlever.levers.asking import Asking
from whichlever.levers.base import Context, Fit
from whichlever.levers.rag_choose import CHOOSING_SHARE, MAX_CHOOSE, PILOT, Asker, choose
from whichlever.levers.retrieval import (
    EMBEDDER,
    FUSIONS,
    METHOD,
    Electorate,
    Embedder,
    Fusion,
    Library,
    Plan,
    Retriever,
    check_documents,
    check_embedder,
    choose_rule,
    default_embedder,
    embedder_fingerprint,
    index_rows,
    index_seconds,
    nearest_document,
    plans,
    sources,
)
from whichlever.levers.retrieval.window import shown
from whichlever.llm import Chooser, Client, Extra, Journal, Limit, check_llm, find_weights, open_llm
from whichlever.llm.budget import Billing, affordable
from whichlever.predict import Prediction, Row
from whichlever.task import RagSettings, Task

WORDING = 1
"""Raised when the way passages are shown changes, so that old answers are not taken for new."""

ROTATIONS = 2
"""Option orders averaged per answer, as prompting does by default."""

FUSION_ROWS = 1_000
"""Validation rows that choose how rankings are joined (no model is asked), at most."""


class Rag:
    """Asks a language model with retrieved passages before the text.

    Labelled rows are shown as solved cases and pieces of the task's documents as reference. How
    many of each is chosen on a small stratified sample of validation rows; what a row takes there
    sizes the rows that the budget pays for, before any test row is read. The answers stand on the
    same `Chooser` as prompting.

    Parameters
    ----------
    settings
        The model, ``k`` passages at most, and the budget.
    embedder
        Makes the vectors; the default encoder's static ones unless given.
    oracle
        Hand over the row's own document instead of searching (the same reader, the same prompt):
        a diagnostic, which tells a search that fails from a model that cannot read.
    """

    def __init__(
        self, settings: RagSettings, embedder: Embedder | None = None, *, oracle: bool = False
    ) -> None:
        self.id = "rag-oracle" if oracle else "rag"
        self._settings = settings
        self._embedder = embedder
        self._oracle = oracle

    def settings(self) -> Mapping[str, Any]:
        """The knobs, the methods' versions and the weights' checksum where they are here."""
        try:
            weights = find_weights(self._settings.model).sha256
        except WeightsError:
            weights = None  # a server under llms:, or an error that fit reports
        theirs = {"vote_k", "vote_only", "match", "oracle"}
        if self._settings.retrieve == "both":
            theirs.add("retrieve")
        return {
            **self._settings.model_dump(exclude=theirs),
            **({"oracle": True} if self._oracle else {}),
            "rotations": ROTATIONS,
            "embedder": EMBEDDER,
            "embedder_weights": embedder_fingerprint(),
            "method": METHOD,
            "wording": WORDING,
            "weights": weights,
        }

    @property
    def files(self) -> tuple[str, ...]:
        """The model's file, where the task gives one."""
        model = self._settings.model
        return (model,) if model.endswith(".gguf") else ()

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late: something missing, or a model out of reach."""
        if task.documents is not None:
            check_documents(task.path(task.documents))
        if self._embedder is None:
            check_embedder()
        check_llm(self._settings.model, task, self.id, dollars=self._settings.dollars)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Building the index, and at most the share of the budget that choosing may take."""
        return index_seconds(train + valid) + self._settings.minutes * 60 * CHOOSING_SHARE

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Index rows and documents, choose what a prompt gets, and size the rows to answer.

        Raises
        ------
        DataError
            There is nothing to retrieve.
        TaskError
            The task's folder of documents does not exist.
        LLMError
            The server cannot be used at all, or the instructions do not fit its window.
        WeightsError, MissingExtraError
            Weights or a package are missing.
        InputError
            Data may not leave and the server is remote, or the budget pays for no row.
        """
        settings = self._settings
        client = open_llm(
            settings.model,
            context.task,
            slots=ROTATIONS,
            timeout=settings.timeout_seconds,
            retries=settings.retries,
            parallel=settings.parallel,
        )
        try:
            return self._fit(client, train, valid, context)
        except BaseException:
            client.close()
            raise

    def _fit(
        self, client: Client, train: Sequence[Row], valid: Sequence[Row], context: Context
    ) -> Fit:
        task, settings = context.task, self._settings
        known = frozenset(context.labels)
        train, valid = (
            [row for row in part if (row.target in known if known else row.target)]
            for part in (train, valid)
        )
        retriever, facts = self._retriever(train, valid, context)
        billing = Billing.of(settings.model, task)
        limit = Limit.of("rag", settings, billing)
        journal = Journal(context.folder / "rag.journal.jsonl")
        chooser = Asking(
            client, train, context, rotations=ROTATIONS, journal=journal, limit=limit
        ).with_shots()
        chooser.warm_up()
        order = stratified_order([row.target for row in valid], context.seed)
        choice = choose(
            Asker(chooser, retriever, Plan(1), within=len(train)),
            self._plans(retriever, facts["document_pieces"]),
            [valid[i] for i in order[:MAX_CHOOSE]] or train[:PILOT],
            settings,
            billing,
            task.goal.metric,
            context.progress,
        )
        budget = (settings.minutes, settings.dollars, settings.max_rows)
        spent, each = choice.spent, choice.per_row
        if spent.dollars is not None:
            spent = replace(spent, dollars=limit.spent)  # rows that failed may be billed too
        most = affordable("rag", budget, spent, each)
        limit.start_answers(None if each.dollars is None else each.dollars / each.rows)
        kept = Journal(context.folder / "retrieved.jsonl")
        how = "the right document handed over" if self._oracle else "bm25 + static embeddings"
        return Fit(
            predictor=RagPredictor(Asker(chooser, retriever, choice.plan), kept),
            what=f"retrieval ({how}, {choice.plan}) with {_model(client)}",
            chosen={
                **choice.plan.as_json(),
                **facts,
                "validation_rows": choice.rows,
                f"validation_{task.goal.metric}": choice.scores,
                "not_tried": list(choice.not_tried),
                "guard": chooser.guard,
                "guard_enforced": chooser.enforced,
                "single_token_options": chooser.lettered,
                "seconds_per_row": each.seconds / each.rows,
                "choosing_seconds": spent.seconds,
            },
            rows_seen=0 if retriever.index is None else len(retriever.index),
            max_rows=most,
            place=client.server.place,
            price_as=billing.price_as,
            token_prices=billing.token_prices,
            cores=client.cores,
            priced=billing.priced(client),
        )

    def _plans(self, retriever: Retriever, pieces: int) -> list[Plan]:
        """What may be tried, as ``retrieve`` allows; the oracle hands over documents only."""
        source = "documents" if self._oracle else self._settings.retrieve
        rows = retriever.index is not None and source != "documents"
        documents = pieces > 0 and source != "rows"
        if not rows and not documents:
            raise DataError(f"{self.id}: levers.rag.retrieve is {source}, and there are none")
        return plans(self._settings.k, rows, documents)

    def _retriever(
        self, train: Sequence[Row], valid: Sequence[Row], context: Context
    ) -> tuple[Retriever, dict[str, Any]]:
        """Index what can be retrieved; how rankings are joined is chosen without the model."""
        embedder = self._embedder or default_embedder(context.progress)
        task = context.task
        library = None
        if task.documents is not None:
            library = Library(task.path(task.documents), embedder)
        pieces = 0 if library is None else len(library.folder.passages)
        left_out = () if library is None else library.folder.left_out
        if not train and not pieces:
            raise DataError(
                "rag: there is nothing to retrieve: no training row has a label and documents: "
                "holds no text; give either"
            )
        if not train and not valid:
            raise DataError("rag: no row has a label to try a prompt on; look at data.target")
        index = index_rows([*train, *valid], embedder) if train else None
        fusion = Fusion()
        if index is not None and valid and context.labels:
            number = {label: i for i, label in enumerate(context.labels)}
            targets = np.array([number[str(r.target)] for r in (*train, *valid)], np.int64)
            sampled = np.random.default_rng(context.seed).permutation(len(valid))[:FUSION_ROWS]
            rule, _ = choose_rule(
                index,
                index.search([valid[i] for i in sampled], within=len(train)),
                targets[len(train) + sampled],
                Electorate.of(targets[: len(train)].tolist(), len(number)),
                [min(self._settings.k, len(train))],
                task.goal.metric,
            )
            fusion = rule.fusion
        if library is not None and (self._oracle or self._settings.retrieve == "documents"):
            fusion = nearest_document(library, valid[:FUSION_ROWS], [fusion, *FUSIONS])
        facts = {
            "fusion": fusion.as_json(),
            "labelled_rows": 0 if index is None else len(index),
            "document_pieces": pieces,
            "documents_left_out": [list(pair) for pair in left_out[:50]],
        }
        return Retriever(index, library, fusion, self._oracle), facts


class RagPredictor:
    """Answers rows with retrieved passages, from documents as they are at the time; close it to
    stop an embedded server.

    Parameters
    ----------
    asker
        Finds and asks.
    kept
        Where the ids of the passages behind each answer are written, once per row.
    """

    def __init__(self, asker: Asker, kept: Journal) -> None:
        self._asker = asker
        self._kept = kept
        self.reads_documents = asker.plan.documents > 0
        """Whether its answers depend on documents; a prompt may hold labelled rows only."""
        self._end = weakref.finalize(self, asker.chooser.client.close)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; a row that cannot be answered gets a status."""
        answers = self._asker.answer(rows)
        for row, answered in zip(rows, answers, strict=True):
            passages = [p.id for p in answered.passages]
            entry = {"id": row.id, "passages": passages, "found": answered.found}
            self._kept.keep(row.id, entry)
        return [answered.prediction for answered in answers]

    @property
    def chooser(self) -> Chooser:
        """Who is asked."""
        return self._asker.chooser

    def handed(self, rows: Sequence[Row]) -> list[Extra]:
        """What each row's prompt is given beside its text, before any of it is dropped."""
        return [shown(found) for found in self._asker.find(rows)]

    def refresh(self) -> bool:
        """Read changed documents again at once, whenever it was last looked for them."""
        return self._asker.retriever.refresh()

    def read_from(self, folder: Path) -> bool:
        """Read another folder of documents from now on; whether its passages are others.

        False too where the chosen prompt holds labelled rows only.
        """
        library = self._asker.retriever.library
        return self.reads_documents and library is not None and library.read_from(folder)

    def follow(self) -> bool:
        """Look for changed documents, if it is time to; whether there were any."""
        library = self._asker.retriever.library
        return self.reads_documents and library is not None and library.follow()

    def sources(self, rows: Sequence[Row], depth: int) -> list[list[str]] | None:
        """The documents found for each row, best first; None where none are searched."""
        retriever = self._asker.retriever
        if not self.reads_documents or retriever.oracle or retriever.library is None:
            return None
        return [sources(p) for p in retriever.library.find(rows, retriever.fusion, depth)]

    def close(self) -> None:
        """Close the connections, and the server where it is embedded."""
        self._end()


def _model(client: Client) -> str:
    """The model as a claim names it, e.g. "smollm2-135m-instruct (135M, Q4_1)"."""
    weights = client.weights
    if weights is None:
        return f"{client.server.model} at {client.server.name}"
    return f"{weights.name} ({weights.what})" if weights.what else weights.name
