"""The encoder rung against a plain padded training loop: same rows, length and learning rate.

    python bench/encoder_speed.py [--rows 800] [--epochs 1] [--frozen 0 2] [--seeds 1]

The plain loop is what a first script does: rows in random order, each batch padded to the longest
input allowed, a random head, AdamW with a linear warm-up and decay. A second plain loop pads each
batch to its own longest row. Ours sorts rows of like length together, starts the head from a
linear probe, and is timed with that probe. All train ``--epochs`` passes on the newest rows before
October 2023 and are scored on the rows that follow; no row of 2024 is read. They run in turn, in
this run, on the same threads; what counts is processor time, which other work on the machine bends
less than the clock.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from whichlever.infer.encoder_text import EncoderText
from whichlever.llm import find_weights
from whichlever.models.encoder import EncoderOptions, net_logits, train_encoder
from whichlever.models.encoder_net import Classifier
from whichlever.progress import Silent

RESULTS = Path(__file__).parent / "results" / "encoder_speed.json"
TOKENS, BATCH, RATE, SCORED = 160, 16, 2e-4, 1000
PLAIN = (("padded to the window", True), ("padded to the batch", False))


def rows(data: Path, count: int) -> tuple[list[str], np.ndarray, list[str], np.ndarray, int]:
    """Newest rows before October 2023, and rows drawn from after; text and class of each."""
    with gzip.open(data / "cwe" / "train.jsonl.gz", "rt") as file:
        found = sorted(map(json.loads, file), key=lambda r: r["published"])
    before = [r for r in found if r["published"] < "2023-10-01"][-count:]
    after = [r for r in found if r["published"] >= "2023-10-01"]
    picked = np.random.default_rng(0).permutation(len(after))[:SCORED]
    index = {label: i for i, label in enumerate(sorted({r["label"] for r in before}))}
    held = [after[i] for i in picked]
    return (
        [r["text"] for r in before],
        np.array([index[r["label"]] for r in before]),
        [r["text"] for r in held],
        np.array([index.get(r["label"], -1) for r in held]),
        len(index),
    )


def plain(
    folder: Path, ids: list[Any], targets: np.ndarray, classes: int, seed: int, whole: bool,
    epochs: int,
) -> tuple[Classifier, float]:  # fmt: skip
    """The plain loop: (network, seconds); ``whole`` pads to the longest input allowed."""
    torch.manual_seed(seed)
    net = Classifier(folder, classes)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    steps = math.ceil(len(ids) / BATCH) * epochs
    warm = max(1, round(0.06 * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, max(0.0, (steps - s) / (steps - warm)))
    )
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(ids)) for _ in range(epochs)]
    net.train()
    began = time.process_time()
    for picked in (o[b : b + BATCH] for o in orders for b in range(0, len(o), BATCH)):
        width = TOKENS if whole else max(len(ids[i]) for i in picked)
        tokens, mask = (np.zeros((len(picked), width), np.int64) for _ in range(2))
        for place, i in enumerate(picked):
            tokens[place, : len(ids[i])], mask[place, : len(ids[i])] = ids[i], 1
        logits = net(torch.from_numpy(tokens), torch.from_numpy(mask))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets[picked]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return net, time.process_time() - began


def main() -> None:
    """Train each in turn and write the ratios down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--frozen", type=int, nargs="*", default=[0])
    parser.add_argument("--no-plain", action="store_true", help="ours alone, for trying settings")
    args = parser.parse_args()
    folder = find_weights("all-minilm-l6-v2").path
    text = EncoderText((folder / "tokenizer.json").read_text(), TOKENS)
    texts, targets, held, truth, classes = rows(args.data, args.rows)
    ids, held_ids = list(text.encode(texts).ids), list(text.encode(held).ids)
    found: dict[str, list[dict[str, float]]] = {}

    def note(name: str, seconds: float, net: Classifier) -> None:
        score = float((net_logits(net, held_ids).argmax(axis=1) == truth).mean())
        found.setdefault(name, []).append({"seconds": seconds, "accuracy": score})
        rate = len(ids) * args.epochs / seconds
        print(f"{name}: {rate:.1f} rows per core-second, accuracy {score:.3f}", flush=True)

    for seed in range(args.seeds):
        for name, whole in () if args.no_plain else PLAIN:
            net, seconds = plain(folder, ids, targets, classes, seed, whole, args.epochs)
            note(name, seconds, net)
        for frozen in args.frozen:
            ours = f"ours, {frozen} layers frozen" if frozen else "ours"
            options = EncoderOptions(
                epochs=args.epochs, rate=RATE, batch=BATCH, seconds=1e6, patience=99, frozen=frozen
            )
            began = time.process_time()
            run = train_encoder(
                folder, ids, targets, held_ids[:16], truth[:16], classes,
                options=options, seed=seed, metric="accuracy", progress=Silent(),
            )  # fmt: skip
            note(f"{ours}, all counted", time.process_time() - began, run.net)
            steps = len(ids) * args.epochs / run.rows_per_second * torch.get_num_threads()
            found.setdefault(f"{ours}, training steps alone", []).append(
                {"seconds": steps, "accuracy": found[f"{ours}, all counted"][-1]["accuracy"]}
            )
    lengths = np.array([len(i) for i in ids])
    RESULTS.write_text(
        json.dumps(
            {
                "what": "MiniLM on vulnerability descriptions, in turn",
                "rows": len(ids), "epochs": args.epochs, "classes": classes,
                "window": TOKENS, "batch": BATCH,
                "rate": RATE, "tokens_per_row": float(lengths.mean()), "scored_rows": len(held),
                "threads": torch.get_num_threads(), "torch": torch.__version__,
                "runs": {
                    name: {
                        "rows_per_core_second": len(ids) * args.epochs * len(made)
                        / sum(r["seconds"] for r in made),
                        "accuracy": [r["accuracy"] for r in made],
                    }
                    for name, made in found.items()
                },
            },
            indent=2,
        )
        + "\n"
    )  # fmt: skip


if __name__ == "__main__":
    main()
