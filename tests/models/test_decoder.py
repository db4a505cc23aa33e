"""The decoder rung on a tiny model: what is cut, masked, kept and scored changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch.nn import functional

from tiny_decoder import ANSWERS, CODES, write_base
from whichlever.errors import RunError, WeightsError
from whichlever.infer.decoder_text import DecoderText, Marks
from whichlever.infer.decoder_tree import AnswerTree
from whichlever.models.decoder import DecoderOptions, DecoderRun, Rows, train_decoder
from whichlever.models.decoder_answers import Answering
from whichlever.models.decoder_base import Precision, end_of_text, load_base
from whichlever.models.decoder_merge import merged_model, save_adapters
from whichlever.models.decoder_net import CutDecoder, laid_out, with_tree
from whichlever.progress import Progress, Silent


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("decoder") / "base")


@pytest.fixture(scope="module")
def text(base: Path) -> DecoderText:
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    return DecoderText(tokenizer, Marks.of(tokenizer, end_of_text(base, tokenizer)), 200, 60)


def rows_of(text: DecoderText, count: int = 24) -> Rows:
    tree = AnswerTree.of([text.answer(a) for a in ANSWERS])
    asked = [(text.question(f"{CODES[i % 4]} {i}").ids, i % 4) for i in range(count)]
    laid = [with_tree(ids, tree, k) for ids, k in asked]
    spoken = [laid_out(ids, text.answer(ANSWERS[k])) for ids, k in asked]
    return Rows(laid, laid[:8], tree, spoken)


def test_loss_is_the_plain_models_on_answer_tokens_alone(base: Path, text: DecoderText) -> None:
    pairs = [(text.question(c).ids, text.answer(a)) for c, a in zip(CODES, ANSWERS, strict=True)]
    laid = [laid_out(*pair) for pair in pairs]
    net = CutDecoder(load_base(base), layers=2, rank=4)
    plain, wanted = load_base(base), 0.0
    for question, answer in pairs:
        ids = torch.from_numpy(np.concatenate([question, answer]))[None]
        logits = plain(input_ids=ids).logits[0, len(question) - 1 : -1]
        wanted += float(functional.cross_entropy(logits, torch.from_numpy(answer), reduction="sum"))
    # Rows of unlike lengths together: padding is seen by nobody.
    loss = net.loss(net.below(laid), laid)
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-5)
    loss.backward()
    touched = [name for name, value in net.parameters().items() if value.grad is not None]
    assert touched
    assert all(".layers.0." not in name for name in net.parameters())


def test_the_tree_scores_answers_as_constrained_decoding_would(
    base: Path, text: DecoderText
) -> None:
    plain, question = load_base(base), text.question("pfm crown 3").ids
    answers = [text.answer(a) for a in ANSWERS]
    wanted = []
    for own in answers:
        share = 1.0
        for i in range(len(own)):
            others = {int(a[i]) for a in answers if len(a) > i and (a[:i] == own[:i]).all()}
            ids = torch.from_numpy(np.concatenate([question, own[:i]]))[None]
            logits = plain(input_ids=ids).logits[0, -1]
            allowed = torch.softmax(logits[sorted(others)], dim=0)
            share *= float(allowed[sorted(others).index(int(own[i]))])
        wanted.append(share)
    questions = [text.question(t) for t in ("pfm crown 3", "a much longer question than that")]
    found = Answering(load_base(base), text, ANSWERS).choose(questions)
    assert found[0] == pytest.approx(wanted, rel=1e-4)
    assert found.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


def train(
    base: Path,
    text: DecoderText,
    folder: Path,
    progress: Progress | None = None,
    *,
    refit: bool = False,
) -> DecoderRun:
    return train_decoder(
        CutDecoder(load_base(base), 2, 8), rows_of(text),
        options=DecoderOptions(
            epochs=6, rate=0.02, batch_rows=4, batch_tokens=256, patience=9, refit=refit
        ),
        seed=0, progress=progress or Silent(), folder=folder,
    )  # fmt: skip


CHILD = """
import sys
from pathlib import Path
from test_decoder import DecoderText, Marks, Tokenizer, end_of_text, train
from whichlever.models import decoder
base, folder = Path(sys.argv[1]), Path(sys.argv[2])
decoder.SAVE_SECONDS = 0.0
tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
text = DecoderText(tokenizer, Marks.of(tokenizer, end_of_text(base, tokenizer)), 200, 60)
train(base, text, folder)
"""


def test_a_training_that_was_killed_goes_on_along_the_same_curve(
    base: Path, text: DecoderText, tmp_path: Path
) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = train(base, text, tmp_path / "whole")
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), *sys.path])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(base), str(tmp_path / "killed")],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    written = tmp_path / "killed" / "training.safetensors"
    for _ in range(6_000):  # until some steps are written down; the kill falls anywhere after
        if written.exists() or child.poll() is not None:
            break
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    with safe_open(str(written), framework="pt") as held:
        assert 0 < json.loads(held.metadata()["state"])["step"] < len(whole.curve)
    resumed = train(base, text, tmp_path / "killed")
    assert resumed.curve == whole.curve
    assert resumed.checks == whole.checks
    for name, value in whole.adapters.items():
        assert torch.equal(value, resumed.adapters[name])
    assert whole.checks[-1][1] < whole.checks[0][1]  # it learns


def test_working_layers_out_again_changes_no_gradient(base: Path, text: DecoderText) -> None:
    found = []
    for again in (False, True):
        net = CutDecoder(load_base(base), 2, 8, checkpointing=again)
        rows = rows_of(text).train[:4]
        assert rows_of(text).tree is not None
        net.choice_loss(net.below(rows), rows, rows_of(text).tree).backward()
        found.append({name: value.grad for name, value in net.parameters().items()})
    assert found[0].keys() == found[1].keys()
    assert any(value is not None and value.abs().max() > 0 for value in found[0].values())
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value)


@pytest.mark.parametrize("precision", ["bf16", "nf4"])
def test_a_base_of_fewer_bits_trains_adapters_of_32(
    base: Path, text: DecoderText, tmp_path: Path, precision: Precision
) -> None:
    if precision == "nf4":
        pytest.importorskip("bitsandbytes", reason="the extra 'gpu' is not installed")
    rows = rows_of(text)
    exact, fewer = (
        CutDecoder(load_base(base, bits), 2, 8)
        for bits in cast("list[Precision]", ["fp32", precision])
    )
    assert {value.dtype for value in fewer.parameters().values()} == {torch.float32}
    few = rows.train[:4]
    assert rows.tree is not None
    wanted, found = (
        float(net.choice_loss(net.below(few), few, rows.tree).detach()) for net in (exact, fewer)
    )
    assert found == pytest.approx(wanted, rel=0.15)
    run = train_decoder(
        fewer, rows, options=DecoderOptions(epochs=3, rate=0.02, batch_rows=4, refit=False),
        seed=0, progress=Silent(), folder=tmp_path,
    )  # fmt: skip
    assert run.checks[-1][1] < run.checks[0][1]
    save_adapters(tmp_path / "adapters.safetensors", run.adapters)
    merged = merged_model(base, tmp_path / "adapters.safetensors", 2, 8, precision)
    shares = Answering(merged, text, ANSWERS).choose([text.question(CODES[0])])
    assert shares.sum() == pytest.approx(1, abs=1e-3)


def test_adapters_merged_from_their_file_answer_as_they_did(
    base: Path, text: DecoderText, tmp_path: Path
) -> None:
    (tmp_path / "fit").mkdir()
    run = train(base, text, tmp_path / "fit")
    save_adapters(tmp_path / "adapters.safetensors", run.adapters)
    model = merged_model(base, tmp_path / "adapters.safetensors", 2, 8)
    answering = Answering(model, text, ANSWERS)
    asked = [text.question(f"{CODES[i % 4]} {i}") for i in range(8)]
    assert run.scores is not None
    assert answering.choose(asked) == pytest.approx(np.exp(run.scores), abs=1e-5)
    with pytest.raises(RunError, match="not of this base"):
        merged_model(base, tmp_path / "adapters.safetensors", 1, 8)


def test_validation_rows_are_learned_from_last_and_judged_before(
    base: Path, text: DecoderText, tmp_path: Path
) -> None:
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
    once = train(base, text, tmp_path / "once")
    again = train(base, text, tmp_path / "again", refit=True)
    assert (once.refitted, again.refitted) == (0, 16)
    assert np.array_equal(once.scores, again.scores)
    assert any(not torch.equal(v, again.adapters[n]) for n, v in once.adapters.items())


def test_a_question_too_long_loses_its_middle_and_says_so(text: DecoderText) -> None:
    long = text.question("x" * 1000)
    assert long.full > text.most
    assert len(long.ids) <= 200 - 60
    assert text.question("short").full <= text.most


def test_answers_with_the_same_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="another"):
        AnswerTree.of([np.array([1, 2]), np.array([1, 2])])


def test_an_architecture_that_cannot_be_cut_is_refused(base: Path, tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    GPT2LMHeadModel(GPT2Config(vocab_size=10, n_embd=8, n_layer=1, n_head=1)).save_pretrained(
        tmp_path
    )
    with pytest.raises(WeightsError, match="gpt2 is not one of"):
        load_base(tmp_path)
