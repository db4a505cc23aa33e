"""A tiny decoder with random weights, and a simulated task of closed or open answers."""

from __future__ import annotations

import json
import random
from pathlib import Path

ANSWERS = (
    "the shipper pays the freight",
    "the shipper books the lorry",
    "the patient needs a crown",
    "the patient needs a check-up in six months",
)
CODES = ("prepaid freight", "booking road", "pfm crown", "recall 6m")

TASK = """\
version: 1
task: jargon
kind: generate
about: Simulated codes of a trade, said in plain words.
data: {rows: rows.jsonl, id: id, input: input,
       split: {by: random, valid: 0.2, calibrate: 0.15, test: 0.25}}
levers:
  linear: {windows: [all], c: [1.0]}
  rag: {vote_only: true}
  finetune:
    decoder: {base: base, rank: 8, layers: 2, epochs: 3, learning_rate: 0.01, minutes: 5}
"""


def write_base(folder: Path, layers: int = 3) -> Path:
    """Write a Llama of a few thousand random weights with a byte vocabulary."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True)
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    symbols = [*marks, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({s: i for i, s in enumerate(symbols)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(marks)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = LlamaConfig(
        vocab_size=len(symbols), hidden_size=32, intermediate_size=64, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        bos_token_id=0, eos_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def write_task(folder: Path, rows: int = 120, task: str = TASK) -> Path:
    """Write the task, its simulated rows and its base."""
    rng = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rows.jsonl").open("w") as out:
        for i in range(rows):
            k = rng.randrange(len(ANSWERS))
            text = f"{CODES[k]} {rng.choice(['today', 'asap', 'again'])} {rng.randrange(100)}"
            out.write(json.dumps({"id": f"r{i}", "input": text, "output": ANSWERS[k]}) + "\n")
    write_base(folder / "base")
    (folder / "task.yaml").write_text(task)
    return folder / "task.yaml"
