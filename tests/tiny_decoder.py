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
    symbols = [*marks, *sorted(pre_tokenizers.ByteLevel.alphabet()), "th"]
    tokenizer = Tokenizer(models.BPE({s: i for i, s in enumerate(symbols)}, [("t", "h")]))
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


def write_gguf(folder: Path, base: Path) -> Path:
    """Write a base's model as a GGUF file, as llama.cpp's converter would."""
    import gguf
    import numpy as np
    from safetensors.numpy import load_file

    from whichlever.models.decoder_gguf import turned

    config = json.loads((base / "config.json").read_text())
    vocabulary = json.loads((base / "tokenizer.json").read_text())["model"]["vocab"]
    tokens = sorted(vocabulary, key=lambda token: vocabulary[token])
    file = folder / "base.gguf"
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_name("tiny")
    writer.add_context_length(512)
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token.startswith("<|") else 1 for token in tokens])
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for key, value in load_file(base / "model.safetensors").items():
        name = names.get_name(key, try_suffixes=(".weight",))
        heads = {"attn_q": "num_attention_heads", "attn_k": "num_key_value_heads"}
        own = heads.get(name.split(".")[-2])
        found = value.astype(np.float32)
        writer.add_tensor(name, found if own is None else turned(found, config[own]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
