"""Training speed of the decoder rung against a plain padded peft loop, on the same rows.

    OMP_NUM_THREADS=1 python bench/decoder_speed.py ROWS EPOCHS LOOP ...

LOOP is ``plain:RATE`` or ``ours:LAYERS:RATE``, such as plain:0.002 ours:20:0.003: several rates of
each, so that none is held back by the other's. All learn the answers' words (open answers, prompt
masked) with adapters of rank 16 on SmolLM2-135M in as many steps of as many rows. The plain loop
puts adapters in every layer, draws rows at random, pads them to the longest of the batch and scores
the whole vocabulary at every place; ours puts them in the uppermost LAYERS of 30. Speed is real
tokens (no padding) per second of processor time, from the first step to the last, for ours with the
lower layers' pass; the loss on other rows after the last step stands beside it.
Writes bench/results/decoder_speed.json.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch.nn import functional

from whichlever.levers.finetune_decoder import read_text
from whichlever.llm.weights import find_weights, home
from whichlever.models.decoder import DecoderOptions, Rows, train_decoder
from whichlever.models.decoder_base import load_base, unpacked
from whichlever.models.decoder_net import CutDecoder, Laid, laid_out
from whichlever.progress import Silent

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "copilot" / "tos.jsonl.gz"
BATCH, RANK, VALID = 8, 16, 48


def plain(
    folder: Path, train: list[Laid], valid: list[Laid], steps: int, rate: float
) -> dict[str, Any]:
    """The loop that anybody would write."""
    net = CutDecoder(load_base(folder), 10_000, RANK)  # adapters in every layer
    model, weights = net.model, net.parameters()
    optimizer = torch.optim.AdamW(weights.values(), lr=rate, weight_decay=0.0)
    rng, order, tokens, began = np.random.default_rng(0), [], 0, time.process_time()
    for step in range(steps):
        if len(order) < BATCH:
            order = rng.permutation(len(train)).tolist()
        chosen, order = order[:BATCH], order[BATCH:]
        rows = [train[i] for i in chosen]
        long = max(map(len, rows))
        ids = torch.zeros((BATCH, long), dtype=torch.long)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.from_numpy(row.ids)
            mask[i, : len(row)] = 1
            labels[i, torch.from_numpy(row.said)] = torch.from_numpy(row.next_ids)
        warm = max(1, round(0.06 * steps))
        share = (
            (step + 1) / warm
            if step < warm
            else 0.5 * (1 + np.cos(np.pi * (step - warm) / max(1, steps - warm)))
        )
        for group in optimizer.param_groups:
            group["lr"] = rate * share
        optimizer.zero_grad()
        logits = model(input_ids=ids, attention_mask=mask).logits
        loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        optimizer.step()
        tokens += sum(map(len, rows))
    seconds = time.process_time() - began
    return _said(net, valid, tokens, seconds)


def ours(
    folder: Path, train: list[Laid], valid: list[Laid], epochs: float, layers: int, rate: float
) -> dict[str, Any]:
    """The rung as it is, adapters in so many layers."""
    net = CutDecoder(load_base(folder), layers, RANK)
    options = DecoderOptions(
        epochs=epochs, rate=rate, batch_rows=BATCH, patience=99, seconds=1e6, refit=False
    )
    began = time.process_time()
    with tempfile.TemporaryDirectory() as kept:
        # One validation row: its checks are not what is timed.
        run = train_decoder(
            net, Rows(train, valid[:1]), options=options, seed=0, progress=Silent(),
            folder=Path(kept),
        )  # fmt: skip
        seconds = time.process_time() - began
        last = torch_state(Path(kept))
    with torch.no_grad():
        for name, value in net.parameters().items():
            value.copy_(last[name])
    return _said(net, valid, round(sum(map(len, train)) * epochs), seconds) | {
        "steps": len(run.curve),
        "layers": net.layers,
    }


def torch_state(folder: Path) -> dict[str, torch.Tensor]:
    """The adapters after the last step (the run hands back those of its best check)."""
    from safetensors.torch import load_file

    held = load_file(folder / "training.safetensors")
    return {k.removeprefix("now/"): v for k, v in held.items() if k.startswith("now/")}


def _said(net: CutDecoder, valid: list[Laid], tokens: int, seconds: float) -> dict[str, Any]:
    with torch.no_grad():
        loss = sum(float(net.loss(net.below([row]), [row])) for row in valid)
    return {
        "tokens": tokens,
        "seconds": round(seconds, 1),
        "tokens_per_second": round(tokens / seconds, 1),
        "validation_loss": round(loss / sum(len(row.said) for row in valid), 4),
    }


def main() -> None:
    count, epochs = int(sys.argv[1]), float(sys.argv[2])
    torch.set_num_threads(1)
    weights = find_weights("smollm2-135m-instruct")
    folder = unpacked(weights.path, weights.sha256, home())
    text = read_text(folder, 512, 64)
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    drawn = np.random.default_rng(0).permutation(len(rows))[: count + VALID]
    laid = [
        laid_out(text.question(rows[i]["input"]).ids, text.answer(rows[i]["output"])) for i in drawn
    ]
    train, valid = laid[:count], laid[count:]
    steps = round(epochs * -(-count // BATCH))
    runs = []
    for said in sys.argv[3:]:
        loop, *numbers = said.split(":")
        rate = float(numbers[-1])
        if loop == "plain":
            made = plain(folder, train, valid, steps, rate)
        else:
            made = ours(folder, train, valid, epochs, int(numbers[0]), rate)
        runs.append({"loop": loop, "rate": rate, **made})
        print(json.dumps(runs[-1]), flush=True)
    found = {
        "rows": count, "valid_rows": VALID, "epochs": epochs, "steps": steps, "runs": runs,
        "torch": torch.__version__, "threads": 1,
    }  # fmt: skip
    (ROOT / "bench" / "results" / "decoder_speed.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
