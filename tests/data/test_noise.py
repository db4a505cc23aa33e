"""Wrong labels are found: planted ones, in any order of rows, duplicates never across folds."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.data.noise import find_noise
from whichlever.data.noise_files import cell, write_csv, write_parquet
from whichlever.data.noise_folds import cluster_rows, deal_folds
from whichlever.data.noise_joint import confident_joint, error_draws, errors_by_planted, rank
from whichlever.data.noise_record import Judged
from whichlever.data.rows import Splits
from whichlever.errors import DataError
from whichlever.packs.triage.simulate import read_truth
from whichlever.predict import Row
from whichlever.settings import NoiseSettings

LABELS = ("billing", "network", "printer")
WORDS = {
    "billing": ["invoice", "refund", "payment", "card", "charge", "receipt", "price", "vat"],
    "network": ["vpn", "router", "dns", "packet", "cable", "switch", "wifi", "latency"],
    "printer": ["toner", "paper", "tray", "jam", "ink", "scanner", "cartridge", "duplex"],
}
COMMON = ["please", "help", "user", "says", "since", "monday", "again", "floor", "desk", "call"]
QUICK = NoiseSettings(check=False, folds=4)


def tickets(count: int = 360, seed: int = 0, wrong: float = 0.0) -> tuple[list[Row], set[str]]:
    """Simulated help-desk tickets that words tell apart, and the ids of the mislabelled ones."""
    rng = random.Random(seed)
    rows, changed = [], set()
    for i in range(count):
        label = LABELS[i % 3]
        words = rng.choices(WORDS[label], k=4) + rng.choices(COMMON, k=6)
        rng.shuffle(words)
        given_label = label
        if rng.random() < wrong:
            given_label = rng.choice([other for other in LABELS if other != label])
            changed.add(f"t{i}")
        rows.append(Row(f"t{i}", " ".join(words) + f" case{i}", given_label))
    return rows, changed


def splits(rows: list[Row], test: int = 0) -> Splits:
    held = len(rows) - test
    return Splits(tuple(rows[: held - 40]), tuple(rows[held - 40 : held]), (), tuple(rows[held:]))


def test_planted_errors_are_found() -> None:
    rows, changed = tickets(wrong=0.08)
    parts = splits(rows)
    wrong = {row.id for row in parts.train} & changed
    found = find_noise(parts, LABELS, QUICK)
    first = {row.id for row in found.rows[: len(wrong)]}
    assert len(first & wrong) / len(wrong) >= 0.85
    assert found.noise.train.errors_low is not None
    assert found.noise.train.errors_low <= len(wrong) * 1.3
    assert found.noise.train.errors_high is not None
    assert found.noise.train.errors_high >= len(wrong) * 0.7


def test_suggestion_is_the_true_label() -> None:
    rows, wrong = tickets(wrong=0.08)
    true = {f"t{i}": LABELS[i % 3] for i in range(len(rows))}
    suspects = find_noise(splits(rows), LABELS, QUICK).suspects()
    right = [row.suggested == true[row.id] for row in suspects if row.id in wrong]
    assert np.mean(right) >= 0.9


def test_separable_rows_without_errors_give_few_suspects() -> None:
    rows, _ = tickets()
    found = find_noise(splits(rows), LABELS, QUICK)
    assert len(found.suspects()) <= 0.02 * len(rows)


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows, _ = tickets(240, wrong=0.1)
    one = find_noise(splits(rows), LABELS, QUICK)
    whole = splits(rows)
    shuffled = list(whole.train)
    random.Random(3).shuffle(shuffled)
    other = find_noise(replace(whole, train=tuple(shuffled)), LABELS, QUICK)
    assert one == other


def test_test_rows_are_judged_only_when_asked_and_never_learned_from() -> None:
    rows, wrong = tickets(420, wrong=0.08)
    parts = splits(rows, test=120)
    without = find_noise(parts, LABELS, QUICK)
    assert {row.role for row in without.rows} == {"train", "valid"}
    asked = QUICK.model_copy(update={"test": True})
    found = find_noise(parts, LABELS, asked)
    tests = [row for row in found.rows if row.role == "test"]
    assert found.noise.test is not None
    assert len(tests) == found.noise.test.rows == 120
    planted = {row.id for row in parts.test} & wrong
    assert len({row.id for row in tests[: len(planted)]} & planted) >= 0.7 * len(planted)
    # Other test labels change no probability of a training row.
    flipped = [replace(row, target=LABELS[0]) for row in parts.test]
    again = find_noise(replace(parts, test=tuple(flipped)), LABELS, asked)
    learned = [row for row in again.rows if row.role != "test"]
    assert learned == [row for row in found.rows if row.role != "test"]


def test_validation_labels_change_no_judgement_of_training_rows() -> None:
    rows, _ = tickets(300, wrong=0.08)
    parts = splits(rows)
    found = find_noise(parts, LABELS, QUICK)
    flipped = [replace(row, target=LABELS[0]) for row in parts.valid]
    again = find_noise(replace(parts, valid=tuple(flipped)), LABELS, QUICK)
    assert again.suspects("train") == found.suspects("train")


def test_check_measures_the_ranking_on_the_rows_themselves() -> None:
    rows, _ = tickets()
    check = find_noise(splits(rows), LABELS, QUICK.model_copy(update={"check": True})).noise.check
    assert check is not None
    assert check.rows == 16
    assert check.found / check.rows >= 0.8
    assert check.low <= check.found / check.rows <= check.high


def test_small_labels_unknown_labels_and_missing_ones_are_left_out_and_counted() -> None:
    rows, _ = tickets(120)
    odd = [Row("one", "a single row of its own", "lonely"), Row("none", "what is this", None),
           Row("else", "not a label of the task", "elsewhere")]  # fmt: skip
    parts = replace(splits(rows), train=(*splits(rows).train, *odd))
    found = find_noise(parts, (*LABELS, "lonely", "never"), QUICK)
    assert not {"one", "none", "else"} & {row.id for row in found.rows}
    assert found.noise.not_judged["training rows without one of the task's labels"] == 2
    assert found.noise.not_judged["training rows of a label with fewer than 5"] == 1


def test_one_label_is_refused_with_what_to_do() -> None:
    rows = [Row(f"r{i}", f"word{i} text", "a") for i in range(30)]
    with pytest.raises(DataError, match="label more rows"):
        find_noise(splits([*rows, *rows]), ("a", "b"), QUICK)


def test_texts_without_words_do_not_crash() -> None:
    rows = [Row(f"r{i}", "…" * (i + 1), "ab"[i % 2]) for i in range(60)]
    found = find_noise(splits(rows), ("a", "b"), QUICK)
    assert len(found.rows) == 60


def test_a_row_limit_takes_the_newest_and_says_so() -> None:
    rows, _ = tickets(200)
    timed = [replace(row, time=float(i)) for i, row in enumerate(rows)]
    found = find_noise(splits(timed), LABELS, QUICK.model_copy(update={"max_rows": 90}))
    assert {row.id for row in found.rows} == {f"t{i}" for i in range(70, 200)}
    assert sum(found.noise.not_judged.values()) == 70


@given(st.lists(st.integers(0, 30), min_size=4, max_size=80), st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_duplicates_and_groups_never_straddle_folds(kinds: list[int], folds: int) -> None:
    words = [f"alpha{k} beta{k} gamma{k * 7} delta{k} epsilon{k}" for k in range(31)]
    rows = [
        Row(str(i), words[k] + ("" if i % 2 else "  "), "x", group=f"g{k % 5}" if k > 20 else None)
        for i, k in enumerate(kinds)
    ]
    clusters = cluster_rows(rows, folds, by_group=True)
    dealt = deal_folds(clusters.of, np.array(kinds) % 3, folds, 0)
    for key in ([row.text.strip() for row in rows], [row.group for row in rows]):
        seen: dict[str, int] = {}
        for name, fold in zip(key, dealt.tolist(), strict=True):
            if name is not None:
                assert seen.setdefault(name, fold) == fold


def test_near_duplicates_stay_together_and_folds_stay_even() -> None:
    base = [" ".join(f"w{i}x{j}" for j in range(60)) for i in range(50)]
    rows = [Row(f"{i}{c}", f"{text} {c}", "ab"[i % 2]) for i, text in enumerate(base) for c in "pq"]
    clusters = cluster_rows(rows, 5, by_group=False).of
    assert all(clusters[2 * i] == clusters[2 * i + 1] for i in range(50))
    targets = np.array([i // 2 % 2 for i in range(100)])
    dealt = deal_folds(clusters, targets, 5, 0)
    assert set(np.bincount(dealt)) == {20}
    assert all(abs(int(np.sum(targets[dealt == f])) - 10) <= 2 for f in range(5))


def test_joint_by_hand() -> None:
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.9, 0.1]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    joint = confident_joint(shares.astype(np.float32), labels)
    assert joint.thresholds == pytest.approx([1.9 / 3, 1.7 / 3], abs=1e-6)
    assert joint.counts.tolist() == [[2, 1], [1, 2]]
    assert joint.errors == pytest.approx(2.0)
    assert joint.shares.sum() == pytest.approx(1.0)
    ranked = rank(shares.astype(np.float32), labels)
    assert np.argsort(ranked.odds, kind="stable")[:2].tolist() == [5, 2]
    assert ranked.suggested.tolist() == [1, 1, 1, 0, 0, 0]


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_joint_keeps_the_given_counts(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, 60)
    shares = rng.dirichlet(np.ones(classes), 60).astype(np.float32)
    joint = confident_joint(shares, labels)
    assert joint.shares.sum(axis=1) * 60 == pytest.approx(np.bincount(labels, minlength=classes))
    assert 0 <= joint.errors <= 60
    draws = error_draws(joint, labels, np.arange(60) // 2, seed, draws=50)
    assert draws.shape == (50,)
    assert np.all((draws >= 0) & (draws <= 60))


@given(st.text(max_size=30))
def test_no_cell_is_a_formula(text: str) -> None:
    shown = cell(text)
    assert not shown.lstrip().startswith(("=", "+", "-", "@"))
    assert shown.isprintable()


def test_files_hold_the_ranking_and_quote_no_formula(tmp_path: Path) -> None:
    rows = [
        Judged("=cmd()", "train", 1, "@a", "b", 0.01, -0.9, True),
        Judged("r2", "valid", 2, "b", "@a", 0.9, 0.8, False),
    ]
    write_parquet(tmp_path / "noise.parquet", rows)
    read = pl.read_parquet(tmp_path / "noise.parquet")
    assert read["id"].to_list() == ["=cmd()", "r2"]
    texts = {"=cmd()": "\t=HYPERLINK(1)\nnext\x1b[2J", "r2": "long " * 500}
    write_csv(tmp_path / "noise.csv", rows, texts)
    with (tmp_path / "noise.csv").open(newline="") as handle:
        cells = list(csv.DictReader(handle))
    assert cells[0]["id"] == "'=cmd()"
    assert cells[0]["given"] == "'@a"
    assert cells[0]["text"].startswith("'=HYPER")
    assert len(cells[1]["text"]) == 500


def test_planted_errors_on_the_simulated_company(tmp_path: Path) -> None:
    from whichlever.data import read_dataset
    from whichlever.render import find_pack
    from whichlever.task import Task

    pack, _ = find_pack("triage@1")
    pack.write_template(tmp_path / "company", 0)
    dataset = read_dataset(Task.load(tmp_path / "company" / "task.yaml"))
    truth = {line["id"]: line["true_label"]
             for line in read_truth(tmp_path / "company" / "data" / "truth.jsonl")}  # fmt: skip
    rng = random.Random(1)
    rows, wrong = [], set()
    for row in dataset.rows:
        said = row.target
        if rng.random() < 0.1:
            said = rng.choice([label for label in dataset.labels if label != truth[row.id]])
        rows.append(replace(row, target=said))
        if said != truth[row.id]:
            wrong.add(row.id)
    found = find_noise(splits(rows), dataset.labels, NoiseSettings(check=False))
    learned = [row.id in wrong for row in found.rows if row.role == "train"]
    first = learned[: sum(learned)]
    assert np.mean(first) >= 0.7


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_the_share_of_errors_is_read_from_where_planted_ones_rank(share: float) -> None:
    found, held = [], 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        planted, wrong = np.zeros(2000, dtype=bool), rng.random(2000) < share
        planted[rng.choice(np.flatnonzero(~wrong), 100, replace=False)] = True
        odds = np.where(wrong | planted, rng.normal(-2, 1, 2000), rng.normal(2, 1.2, 2000))
        value, draws = errors_by_planted(odds.astype(np.float32), planted, np.arange(2000), 0, 200)
        real = wrong[~planted].mean()
        low, high = np.quantile(draws, [0.025, 0.975])
        found.append(value - real)
        held += bool(low - 1e-9 <= real <= high + 1e-9)
    assert abs(np.mean(found)) <= 0.005 + 0.1 * share
    assert held >= 32


def test_the_estimate_is_near_the_errors_planted_beforehand() -> None:
    rows, changed = tickets(700, seed=2, wrong=0.1)
    parts = splits(rows)
    train = find_noise(parts, LABELS, QUICK.model_copy(update={"check": True})).noise.train
    wrong = len({row.id for row in parts.train} & changed)
    assert 0.6 * wrong <= train.errors <= 1.4 * wrong
    assert train.errors <= train.joint_errors + 1e-9
