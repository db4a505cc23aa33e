"""What a server tells Prometheus."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from whichlever.predict import Prediction
from whichlever.runtime.lines import Scores, said_of

LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class ScoreHistogram(Collector):
    """How sure the answers are; a whole batch is counted at once."""

    def __init__(self, name: str, what: str) -> None:
        self._name, self._what = name, what
        self._bounds = np.array(SCORES, np.float32)
        self._counts = np.zeros(len(SCORES) + 1, np.int64)
        self._sum = 0.0

    def observe(self, values: Scores) -> None:
        """Count values, shape (n,); what is no number is left out."""
        values = values[np.isfinite(values)]
        at = np.searchsorted(self._bounds, values, side="left")
        self._counts += np.bincount(at, minlength=len(self._counts))
        self._sum += float(values.sum(dtype=np.float64))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """As Prometheus wants it: counts up to each bound."""
        bounds = [*map(str, SCORES), "+Inf"]
        counts = self._counts.cumsum().tolist()
        yield HistogramMetricFamily(
            self._name, self._what, list(zip(bounds, counts, strict=True)), self._sum
        )


class Metrics:
    """A registry of this server's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.requests = Counter(
            "whichlever_requests", "Requests answered.", ["route", "status"], registry=r
        )
        self.latency = Histogram(
            "whichlever_request_seconds", "Seconds from request to answer.", ["route"],
            buckets=LATENCY, registry=r,
        )  # fmt: skip
        self.batch = Histogram(
            "whichlever_batch_rows", "Rows answered together.", buckets=BATCHES, registry=r
        )
        self.labels = Counter("whichlever_answers", "Rows by answer.", ["label"], registry=r)
        self.abstained = Counter("whichlever_abstained", "Rows left to a person.", registry=r)
        self.errors = Counter("whichlever_row_errors", "Rows that were no rows.", registry=r)
        self.slots = Counter(
            "whichlever_slots", "Slots of answers, filled from documents or not.", ["outcome"],
            registry=r,
        )  # fmt: skip
        self.mails = Counter("whichlever_mails", "Mails by verdict.", ["verdict"], registry=r)
        self.scores = ScoreHistogram("whichlever_score", "Probability of the answer.")
        r.register(self.scores)
        self.waiting = Gauge("whichlever_waiting_rows", "Rows that wait.", registry=r)
        self.rejected = Counter("whichlever_rejected", "Requests turned away.", ["why"], registry=r)
        self.reloads = Counter(
            "whichlever_reloads", "Bundles swapped, or kept because the new one failed.",
            ["outcome"], registry=r,
        )  # fmt: skip
        self.shadow = Counter(
            "whichlever_shadow", "Rows by the answer given and the shadow's.", ["answer", "shadow"],
            registry=r,
        )  # fmt: skip
        self.shadow_gap = ScoreHistogram(
            "whichlever_shadow_gap", "Largest difference between a row's scores and the shadow's."
        )
        r.register(self.shadow_gap)
        self.shadow_dropped = Counter(
            "whichlever_shadow_dropped", "Rows that the shadow had no time for.", registry=r
        )
        self.shadow_failed = Counter(
            "whichlever_shadow_failed", "Rows that the shadow failed on.", registry=r
        )
        self._children: dict[tuple[str, int], Counter] = {}

    def replied(self, route: str, status: int, seconds: float | None) -> None:
        """Count a request; a route is one of a fixed few."""
        child = self._children.get((route, status))
        if child is None:
            child = self._children[route, status] = self.requests.labels(route, str(status))
        child.inc()
        if seconds is not None:
            self.latency.labels(route).observe(seconds)

    def answered(self, answers: Sequence[Prediction], scores: Scores | None) -> None:
        """Count answers by label, and how sure they are."""
        for label, count in Tally(map(said_of, answers)).items():
            if label is not None:
                self.labels.labels(label).inc(count)
        if scores is not None:
            self.scores.observe(scores.max(axis=1))

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)
