import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from whichlever.errors import CheckFailed  # noqa: E402
from whichlever.infer.encoder import EncoderClassifier  # noqa: E402
from whichlever.infer.encoder_text import (  # noqa: E402
    EncoderText,
    by_length,
    padded,
    training_batches,
)  # fmt: skip
from whichlever.models import encoder, encoder_onnx  # noqa: E402
from whichlever.models.encoder import (  # noqa: E402
    EncoderOptions,
    EncoderRun,
    Refit,
    train_encoder,
)
from whichlever.models.encoder_head import start_head  # noqa: E402
from whichlever.models.encoder_net import Classifier  # noqa: E402
from whichlever.models.encoder_plan import plan  # noqa: E402
from whichlever.progress import Silent  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random encoder, small enough to train in a blink, with MiniLM's tokenizer."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, vocab_size=30522,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    shutil.copy(minilm / "tokenizer.json", folder)
    return folder


def rows(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, count)
    filler = ["host", "user", "login", "port", "event", "alert"]
    texts = [
        " ".join([("root", "backup")[t], *rng.choice(filler, size=rng.integers(1, 30))])
        for t in targets
    ]
    return texts, targets


def train(
    folder: Path, record: Path | None = None, **options: object
) -> tuple[EncoderRun, list[str], EncoderText]:
    text = EncoderText((folder / "tokenizer.json").read_text(), 24)
    (texts, targets), (held, held_targets) = rows(160, 0), rows(40, 1)
    given = {"epochs": 6.0, "rate": 5e-3, "batch": 16, "seconds": 600.0, **options}
    run = train_encoder(
        folder, text.encode(texts).ids, targets, text.encode(held).ids, held_targets, 2,
        options=EncoderOptions(**given), seed=3, metric="accuracy", progress=Silent(),
        record=record,
    )  # fmt: skip
    return run, held, text


def test_it_learns_and_the_same_seed_gives_the_same_weights(tiny: Path) -> None:
    run, _, _ = train(tiny)
    assert run.score > 0.9
    assert run.score == max(score for _, score in run.scores)
    again, _, _ = train(tiny)
    ours, theirs = run.net.state_dict(), again.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_early_stopping_keeps_the_weights_of_the_best_check(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.7, 0.6, 0.4, 0.9])
    seen = []
    real = encoder.net_logits

    def watched(net: torch.nn.Module, texts: object) -> np.ndarray:
        seen.append(net.head.weight.detach().clone())
        return real(net, texts)

    monkeypatch.setattr(encoder, "net_logits", watched)
    monkeypatch.setattr(encoder, "goal_score", lambda *_: next(scores))
    run, _, _ = train(tiny, patience=2)
    assert (run.score, len(run.scores)) == (0.7, 4)
    assert torch.equal(run.net.head.weight, seen[2])  # seen[0] is the probe


@pytest.mark.slow
def test_onnx_answers_as_torch_for_every_length(tiny: Path, tmp_path: Path) -> None:
    run, held, text = train(tiny, epochs=1.0)
    file = tmp_path / "m.onnx"
    ids = text.encode([*held, ""]).ids
    assert encoder_onnx.export(run.net, ids, file) <= 1e-4
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]  # no external data beside it
    classifier = EncoderClassifier(file, (tiny / "tokenizer.json").read_text(), 24)
    read = classifier.read([*held, ""])
    ours = classifier.logits(read)
    assert np.allclose(ours, encoder.net_logits(run.net, ids), atol=1e-4)
    assert read.truncated == text.encode(held).truncated > 0
    with torch.no_grad():
        run.net.head.bias += 1
    assert encoder_onnx.difference(run.net, file, ids) == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
def test_an_export_that_answers_otherwise_is_not_kept(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, held, text = train(tiny, epochs=0.1)
    monkeypatch.setattr(encoder_onnx, "difference", lambda *_: float("nan"))
    with pytest.raises(CheckFailed, match="differ"):
        encoder_onnx.export(run.net, text.encode(held).ids, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_long_texts_lose_their_middle_and_are_counted(minilm: Path) -> None:
    text = EncoderText((minilm / "tokenizer.json").read_text(), 8)
    encoded = text.encode(["one two", "a b c d e f g h i j k l", "bad \udc80"])
    full = EncoderText((minilm / "tokenizer.json").read_text(), 99).encode(
        ["a b c d e f g h i j k l"]
    )
    assert encoded.truncated == 1
    assert encoded.full_lengths[1] == full.lengths[0] == 14
    assert encoded.ids[1].tolist() == full.ids[0][:6].tolist() + full.ids[0][-2:].tolist()


@given(st.lists(st.integers(1, 90), min_size=1, max_size=200), st.integers(1, 32))
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], rows: int) -> None:
    array = np.array(lengths)
    for batches in (
        training_batches(array, rows, np.random.default_rng(0)), by_length(array, 128),
    ):  # fmt: skip
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in by_length(array, 128):
        assert len(batch) == 1 or array[batch].max() * len(batch) <= 128


def test_hardly_any_token_is_padding() -> None:
    lengths = np.random.default_rng(0).integers(5, 120, 5000)
    batches = training_batches(lengths, 32, np.random.default_rng(1))
    ids = [padded([np.ones(n, np.int64) for n in lengths[b]])[0] for b in batches]
    assert lengths.sum() / sum(a.size for a in ids) > 0.95


def test_a_plan_gives_up_epochs_first_then_old_rows() -> None:
    same = plan(1000, 3.0, 50, 5000, 1.0, 60)
    assert (same.rows, same.epochs, same.shrunk) == (1000, 3.0, None)
    fewer = plan(1000, 3.0, 50, 5000, 1.0, 30)
    assert fewer.rows == 1000
    assert 1.5 <= fewer.epochs < 3
    assert fewer.seconds <= 30
    old = plan(10_000, 3.0, 50, 5000, 1.0, 30)
    assert old.rows < 10_000
    assert old.seconds <= 30
    assert "newest" in str(old.shrunk)


@given(
    st.integers(1, 10**6), st.floats(0.1, 20), st.floats(2, 500), st.floats(10, 1e6),
    st.floats(0, 100), st.floats(1, 1e5),
)  # fmt: skip
def test_a_plan_is_always_possible(
    rows: int, epochs: float, tokens: float, speed: float, check: float, budget: float
) -> None:
    made = plan(rows, epochs, tokens, speed, check, budget)
    assert 1 <= made.rows <= rows
    assert 0 < made.epochs <= epochs
    json.dumps(made.shrunk)


def test_a_slow_machine_ends_training_once_and_a_later_start_stops_there_too(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "_probe", lambda *_: (1e9, 0.0))
    given = {"epochs": 500.0, "seconds": 0.5, "patience": 1000}
    run, _, _ = train(tiny, record=tmp_path / "plan.json", **given)
    assert run.cut_by_time
    assert run.epochs < 500
    assert 1.0 <= run.seconds < 5  # planned for half a second, stopped at twice as much
    monkeypatch.setattr(encoder, "OVERRUN", 0.0)  # by the clock it would stop at once
    again, _, _ = train(tiny, record=tmp_path / "plan.json", **given)
    assert (again.epochs, again.cut_by_time) == (run.epochs, True)
    ours, theirs = run.net.state_dict(), again.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_after_a_kill_training_goes_by_the_plan_that_was_written_down(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"epochs": 6.0, "seconds": 10.0, "record": tmp_path / "plan.json"}
    monkeypatch.setattr(encoder, "_probe", lambda *_: (160 * 12 / 4, 0.0))
    real = encoder._Trainer._step

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(encoder._Trainer, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tiny, **given)
    monkeypatch.setattr(encoder._Trainer, "_step", real)
    whole, _, _ = train(tiny, **{**given, "record": tmp_path / "other.json"})
    assert whole.plan.shrunk
    monkeypatch.setattr(encoder, "_probe", lambda *_: (1e9, 0.0))  # a quicker machine by now
    again, _, _ = train(tiny, **given)
    assert again.plan == whole.plan
    ours, theirs = whole.net.state_dict(), again.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def other_encoder(kind: str, folder: Path, minilm: Path) -> Path:
    size = {"vocab_size": 30522, "max_position_embeddings": 64}
    made = {
        "distilbert": lambda: transformers.DistilBertModel(
            transformers.DistilBertConfig(dim=32, n_layers=2, n_heads=2, hidden_dim=64, **size)
        ),
        "modernbert": lambda: transformers.ModernBertModel(
            transformers.ModernBertConfig(
                hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
                pad_token_id=0, **size,
            )
        ),
        "roberta": lambda: transformers.RobertaModel(
            transformers.RobertaConfig(
                hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
                **size,
            )
        ),
    }  # fmt: skip
    torch.manual_seed(0)
    made[kind]().save_pretrained(folder)
    shutil.copy(minilm / "tokenizer.json", folder)
    return folder


@pytest.mark.parametrize("kind", ["distilbert", "modernbert", "roberta"])
def test_encoders_of_other_families_train(kind: str, minilm: Path, tmp_path: Path) -> None:
    run, _, _ = train(other_encoder(kind, tmp_path, minilm), epochs=1.0)
    assert len(run.scores) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["distilbert", "modernbert", "roberta"])
def test_encoders_of_other_families_export(kind: str, minilm: Path, tmp_path: Path) -> None:
    run, held, text = train(other_encoder(kind, tmp_path, minilm), epochs=0.1)
    assert encoder_onnx.export(run.net, text.encode([*held, ""]).ids, tmp_path / "m.onnx") <= 1e-4


def test_the_head_starts_as_a_probe_of_the_encoder_and_is_better_than_chance(tiny: Path) -> None:
    text = EncoderText((tiny / "tokenizer.json").read_text(), 24)
    (texts, targets), (held, held_targets) = rows(160, 0), rows(200, 1)
    torch.manual_seed(0)
    net = Classifier(tiny, 2)
    before = {k: v.clone() for k, v in net.body.state_dict().items()}
    start_head(net, text.encode(texts).ids, targets, None, np.random.default_rng(0))
    said = encoder.net_logits(net, text.encode(held).ids).argmax(axis=1)
    assert (said == held_targets).mean() > 0.8  # even a random encoder's states tell the words
    assert all(torch.equal(before[k], v) for k, v in net.body.state_dict().items())


def test_a_class_without_rows_keeps_a_finite_head(tiny: Path) -> None:
    text = EncoderText((tiny / "tokenizer.json").read_text(), 24)
    texts, targets = rows(40, 0)
    net = Classifier(tiny, 3)
    start_head(net, text.encode(texts).ids, targets, None, np.random.default_rng(0))
    assert torch.isfinite(net.head.weight).all()
    assert torch.isfinite(net.head.bias).all()
    assert net.head.bias[2] < net.head.bias[:2].min()


def test_a_refit_learns_what_only_the_newest_rows_know(tiny: Path) -> None:
    text = EncoderText((tiny / "tokenizer.json").read_text(), 24)
    (texts, targets), (held, held_targets) = rows(160, 0), rows(40, 1)
    ids, held_ids = text.encode(texts).ids, text.encode(held).ids
    new = text.encode([f"kernel panic {i}" for i in range(40)]).ids  # class 1, as only they say
    given = {"options": EncoderOptions(epochs=4.0, rate=5e-3, refit_rate=0.5), "seed": 3}
    given |= {"metric": "accuracy", "progress": Silent()}
    run = train_encoder(
        tiny, ids, targets, held_ids, held_targets, 2, **given,
        refit=Refit([*new, *ids[:80]], np.concatenate((np.ones(40, np.int64), targets[:80]))),
    )  # fmt: skip
    assert run.refitted == 120
    assert (run.valid_logits.argmax(axis=1) == held_targets).mean() == run.score > 0.9
    assert encoder.net_logits(run.net, new).argmax(axis=1).mean() > 0.9
    assert (encoder.net_logits(run.net, held_ids).argmax(axis=1) == held_targets).mean() > 0.7
    alone = train_encoder(tiny, ids, targets, held_ids, held_targets, 2, **given)
    assert np.array_equal(alone.valid_logits, run.valid_logits)


def test_adapters_alone_are_trained_and_folded_in(tiny: Path) -> None:
    pytest.importorskip("peft")
    run, held, text = train(tiny, lora=4, rate=5e-2)
    assert run.score > 0.8
    names = set(run.net.state_dict())
    assert not [name for name in names if "lora" in name]
    torch.manual_seed(3)
    fresh = Classifier(tiny, 2).state_dict()
    changed = {n for n in names if not torch.equal(fresh[n], run.net.state_dict()[n])}
    assert not [name for name in changed if "embeddings" in name or "LayerNorm" in name]
    assert [name for name in changed if "query" in name]
    assert encoder.net_logits(run.net, text.encode(held).ids).shape == (40, 2)


def test_frozen_layers_keep_their_weights_and_the_others_learn(tiny: Path) -> None:
    run, _, _ = train(tiny, frozen=1)
    torch.manual_seed(3)
    fresh = Classifier(tiny, 2).state_dict()
    after = run.net.state_dict()
    changed = {name for name in after if not torch.equal(fresh[name], after[name])}
    assert not [name for name in changed if "embeddings" in name or ".layer.0." in name]
    assert [name for name in changed if ".layer.1." in name]
    assert run.score > 0.8
