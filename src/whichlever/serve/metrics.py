"""What a server tells Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from whichlever.predict import Prediction

LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


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
        self.scores = Histogram(
            "whichlever_score", "Probability of the answer.", buckets=SCORES, registry=r
        )
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
        self.shadow_dropped = Counter(
            "whichlever_shadow_dropped", "Rows that the shadow had no time for.", registry=r
        )
        self.shadow_failed = Counter(
            "whichlever_shadow_failed", "Rows that the shadow failed on.", registry=r
        )

    def answered(self, answers: Sequence[Prediction]) -> None:
        """Count answers; one look-up per label and call, not per row."""
        counts: dict[str, int] = {}
        for answer in answers:
            if answer.label is not None:
                counts[answer.label] = counts.get(answer.label, 0) + 1
            if answer.scores is not None:
                self.scores.observe(float(answer.scores.max()))
        for label, count in counts.items():
            self.labels.labels(label).inc(count)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)
