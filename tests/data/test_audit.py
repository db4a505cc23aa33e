"""The audit: planted leaks are found, clean rows are left in peace, figures add up."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whichlever.data import Audit, Finding, Splits, audit_splits, read_dataset, split_rows
from whichlever.data.checks import all_right
from whichlever.data.duplicates import exact_keys, near_duplicates, words
from whichlever.data.label_words import index_labels, labels_in, masked
from whichlever.predict import Row
from whichlever.task import Task

VOCABULARY = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]


def sentence(rng: np.random.Generator, label: int) -> str:
    """Simulated: fourteen words, a third of them from the label's own part of the vocabulary."""
    own = VOCABULARY[label * 40 : label * 40 + 40]
    return " ".join(rng.choice(own if rng.random() < 0.33 else VOCABULARY) for _ in range(14))


def rows(n: int, prefix: str, seed: int, labels: int = 2) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [Row(f"{prefix}{i}", sentence(rng, i % labels), f"L{i % labels}") for i in range(n)]


def splits(test: list[Row] | None = None, train: list[Row] | None = None) -> Splits:
    return Splits(
        train=tuple(train if train is not None else rows(300, "a", 1)),
        valid=tuple(rows(60, "v", 2)),
        calibrate=tuple(rows(60, "c", 3)),
        test=tuple(test if test is not None else rows(100, "t", 4)),
    )


def audit(found: Splits, labels: tuple[str, ...] = ("L0", "L1"), **more: Any) -> Audit:
    data: dict[str, Any] = {"rows": "a.jsonl", "input": "text", "group": "g", "time": "t"}
    task = Task.model_validate(
        {"task": "t", "data": {**data, "split": {"by": more.pop("by", "random")}}}
    )
    return audit_splits(found, task, labels, **more)


def of_kind(found: Audit, kind: str) -> Finding:
    return next(finding for finding in found.findings if finding.kind == kind)


def test_clean_rows_have_nothing_to_warn_of() -> None:
    found = audit(splits(), windows={"encoder": 256})
    assert not found.has_leak
    assert [f.kind for f in found.findings if f.severity != "info"] == []
    assert found.leaked_ids == ()
    assert found.rows == {"train": 300, "valid": 60, "calibrate": 60, "test": 100}
    assert found.probe is not None
    assert found.probe == found.probe_without_leaked
    assert found.probe.rows == 100


def test_exact_copies_across_the_split_are_a_leak_with_both_scores() -> None:
    train = rows(300, "a", 1)
    # Labels at random: only a copy can be answered better than by chance.
    rng = np.random.default_rng(0)
    train = [Row(r.id, r.text, f"L{rng.integers(2)}") for r in train]
    test = [Row(r.id, r.text, f"L{rng.integers(2)}") for r in rows(60, "t", 4)]
    copies = [Row(f"copy{i}", f"  {train[i].text.upper()} ", train[i].target) for i in range(40)]
    found = audit(splits([*test, *copies], train))
    leak = of_kind(found, "exact_across")
    assert leak.severity == "leak"
    assert leak.count == 40
    assert set(leak.row_ids) == {row.id for row in copies} == set(found.leaked_ids)
    assert "40 of 100 test rows (40.0%)" in leak.text
    assert leak.leaky is not None
    assert leak.clean is not None
    assert (leak.leaky.rows, leak.clean.rows) == (100, 60)
    assert leak.leaky.accuracy > leak.clean.accuracy + 0.1
    assert found.probe_without_leaked == leak.clean
    assert found.has_leak
    assert Audit.model_validate_json(found.model_dump_json()) == found


def test_one_copy_is_a_warning_and_a_leak_only_where_groups_part() -> None:
    train = rows(300, "a", 1)
    test = [*rows(149, "t", 4), Row("copy", train[0].text, train[0].target)]
    by = {
        how: of_kind(audit(splits(test, train), by=how), "exact_across").severity
        for how in ("random", "group", "time")
    }
    assert by == {"random": "warning", "group": "leak", "time": "warning"}


def test_near_copies_are_found_by_their_words() -> None:
    train = rows(300, "a", 1)
    near = [
        Row(f"near{i}", train[i].text.rsplit(" ", 1)[0] + " changed", train[i].target)
        for i in range(10)
    ]
    found = audit(splits([*rows(90, "t", 4), *near], train))
    leak = of_kind(found, "near_across")
    assert leak.severity == "leak"
    assert set(leak.row_ids) == {row.id for row in near}
    few = audit(splits([*rows(97, "t", 4), *near[:3]], train))
    assert of_kind(few, "near_across").severity == "warning"
    assert not few.has_leak


def test_filled_in_templates_are_near_and_give_nothing_away() -> None:
    rng = np.random.default_rng(0)

    def filled(n: int, prefix: str) -> list[Row]:
        return [
            Row(
                f"{prefix}{i}",
                f"alert number n{rng.integers(10**6)} on the mail gateway was raised by the "
                f"scanner in the cellar at hour h{rng.integers(24)} and then was closed again",
                f"L{rng.integers(2)}",
            )
            for i in range(n)
        ]

    found = audit(Splits(tuple(filled(300, "a")), (), (), tuple(filled(100, "t"))))
    near = of_kind(found, "near_across")
    assert near.severity == "warning"
    assert near.count > 80
    assert not found.has_leak
    assert found.leaked_ids == ()


def test_one_text_with_two_labels_and_repetitions_inside() -> None:
    train = rows(300, "a", 1)
    train[7] = Row("twin", train[3].text, "L0" if train[3].target == "L1" else "L1")
    test = rows(100, "t", 4)
    test[5:8] = [Row(f"again{i}", test[0].text, test[0].target) for i in range(3)]
    found = audit(splits(test, train))
    conflict = of_kind(found, "conflict")
    assert (conflict.severity, set(conflict.row_ids)) == ("warning", {"a3", "twin"})
    repeated = [f for f in found.findings if f.kind == "exact_inside"]
    assert [(f.severity, f.count) for f in repeated] == [("warning", 3), ("info", 1)]


def test_row_ids_are_bounded_and_the_count_is_not() -> None:
    train = rows(300, "a", 1)
    test = [Row(f"copy{i}", train[i].text, train[i].target) for i in range(120)]
    leak = of_kind(audit(splits(test, train)), "exact_across")
    assert (len(leak.row_ids), leak.count) == (50, 120)
    assert leak.clean is None


def test_groups_on_both_sides_are_a_leak_when_the_probe_lives_off_them() -> None:
    rng = np.random.default_rng(0)

    def grouped(n: int, prefix: str) -> list[Row]:
        # The label hangs on the group alone, whose name stands in the text.
        made = []
        for i in range(n):
            group = int(rng.integers(12))
            text = " ".join([*[f"site{group}x"] * 4, *rng.choice(VOCABULARY, 8)])
            made.append(Row(f"{prefix}{i}", text, f"L{group % 2}", f"g{group}"))
        return made

    found = Splits(tuple(grouped(300, "a")), tuple(grouped(50, "v")), (), tuple(grouped(120, "t")))
    leak = of_kind(audit(found), "group_across")
    assert leak.severity == "leak"
    assert leak.leaky is not None
    assert leak.clean is not None
    assert leak.leaky.macro_f1 > 0.95
    assert leak.clean.macro_f1 < 0.75
    assert leak.count == 120


def test_a_label_that_stands_in_the_text_is_a_leak_with_the_masked_score() -> None:
    def told(made: list[Row]) -> list[Row]:
        return [
            Row(r.id, f"{r.text} [verdict: {r.target}]" if i % 2 else r.text, r.target)
            for i, r in enumerate(made)
        ]

    # Texts that say nothing else about their labels.
    rng = np.random.default_rng(5)
    train = [Row(r.id, r.text, f"L{rng.integers(2)}") for r in rows(300, "a", 1)]
    test = [Row(r.id, r.text, f"L{rng.integers(2)}") for r in rows(100, "t", 4)]
    found = audit(splits(told(test), told(train)))
    leak = of_kind(found, "label_word")
    assert leak.severity == "leak"
    assert leak.count == 50
    assert leak.leaky is not None
    assert leak.clean is not None
    assert leak.leaky.accuracy > leak.clean.accuracy + 0.1


def test_label_words_are_whole_words_in_order() -> None:
    index = index_labels(["CWE-79", "CWE-7", "false_positive", "no"])
    assert labels_in("Fixed (cwe-79), not CWE 780.", index) == {"CWE-79"}
    assert labels_in("a False positive; nobody knows", index) == {"false_positive"}
    assert masked("Fixed (cwe-79), not CWE-790", ["CWE-79"]) == "Fixed ( ), not CWE-790"


def test_lengths_are_held_against_each_window() -> None:
    test = [*rows(99, "t", 4), Row("long", "word " * 400, "L0")]
    found = audit(splits(test), windows={"encoder": 256, "prompt": 8192})
    long = [f for f in found.findings if f.kind == "length" and f.severity == "warning"]
    assert [f.row_ids for f in long] == [("long",)]
    assert "window of encoder (about 256 tokens)" in long[0].text
    counted = audit(splits(test), windows={"prompt": 100}, count_tokens=lambda t: len(t.split()))
    assert "window of prompt (100 tokens)" in next(
        f.text for f in counted.findings if f.severity == "warning"
    )


def test_classes_and_groups_too_small_to_measure() -> None:
    test = [Row(r.id, r.text, r.target, f"g{i % 5}") for i, r in enumerate(rows(100, "t", 4))]
    test += [Row(f"rare{i}", sentence(np.random.default_rng(i), 1), "rare") for i in range(4)]
    train = [*rows(300, "a", 1), Row("rare", "this one is rare indeed", "rare")]
    found = audit(splits(test, train), ("L0", "L1", "never", "rare"))
    small = of_kind(found, "small_class")
    assert "'never' 0, 'rare' 4" in small.text
    assert "above 0.40" in small.text
    assert set(small.row_ids) == {f"rare{i}" for i in range(4)}
    few = of_kind(found, "few_groups")
    assert (few.severity, "0.0625" in few.text) == ("warning", True)
    unseen = audit(splits([*rows(99, "t", 4), Row("x", "y z", "new")]), ("L0", "L1"))
    assert of_kind(unseen, "unseen_label").row_ids == ("x",)


def test_the_bound_of_a_perfect_score_is_clopper_pearson() -> None:
    from scipy.stats import binomtest

    for n in (1, 7, 29, 300):
        exact = binomtest(n, n).proportion_ci(0.95, "exact").low
        assert all_right(n) == pytest.approx(exact)


def test_near_duplicates_are_the_true_ones_and_no_fewer_than_datasketch_finds() -> None:
    from datasketch import MinHash, MinHashLSH

    rng = np.random.default_rng(3)
    base = [sentence(rng, 0) for _ in range(300)]
    changed = []
    for i, text in enumerate(base[:100]):
        found = text.split()
        for at in rng.choice(14, i % 4, replace=False):
            found[at] = "other"
        changed.append(" ".join(found))
    texts = base + changed
    lsh = MinHashLSH(threshold=0.7, num_perm=128)
    sketches = []
    for i, text in enumerate(texts):
        found = words(text)
        sketch = MinHash(128, seed=1)
        shingles = {*found, *map(" ".join, pairwise(found))}
        sketch.update_batch([s.encode() for s in sorted(shingles)])
        sketches.append(sketch)
        if i < 300:
            lsh.insert(str(i), sketch)
    sets = [{*words(t), *pairwise(words(t))} for t in texts]
    truth = np.array([max(len(s & o) / len(s | o) for o in sets[:300]) >= 0.7 for s in sets[300:]])
    mine = near_duplicates(texts, np.arange(400) >= 300).outside[300:] >= 0
    theirs = np.array(
        [any(sketches[int(j)].jaccard(s) >= 0.7 for j in lsh.query(s)) for s in sketches[300:]]
    )
    assert 40 < truth.sum() < 95
    assert not (mine & ~truth).any()
    assert mine[truth].mean() > 0.95
    assert (mine == truth).sum() >= (theirs == truth).sum()


def test_near_duplicates_of_texts_without_words() -> None:
    found = near_duplicates(["...", "!!!", "", "a b c"], np.array([False, True, True, True]))
    assert (found.outside == -1).all()
    assert (near_duplicates([], np.array([], dtype=bool)).outside == -1).all()


def test_exact_keys_level_case_spacing_and_forms() -> None:
    keys = exact_keys(["ＡＢＣ  def", "abc\tDEF", "abc def.", "abc def"])
    assert keys == [0, 0, 1, 0]


def test_a_file_of_one_template_costs_no_more(tmp_path: Path) -> None:
    texts = [
        f"login failed for user u{i} from host h{i % 7} on the night shift" for i in range(6000)
    ]
    before = time.process_time()
    found = near_duplicates(texts, np.arange(6000) >= 4500)
    assert time.process_time() - before < 5
    assert (found.outside[4500:] >= 0).mean() > 0.9


@pytest.mark.real
def test_the_scenarios_of_real_alerts(shared_data: Path) -> None:
    def of(by: str) -> Audit:
        task = Task.model_validate(
            {
                "task": "ait",
                "data": {
                    "rows": str(shared_data / "alerts/ait.jsonl.gz"), "id": "id", "input": "text",
                    "group": "group", "split": {"by": by},
                },
            }
        )  # fmt: skip
        dataset = read_dataset(task)
        return audit_splits(split_rows(dataset, task), task, dataset.labels)

    leak = of_kind(of("random"), "group_across")
    assert leak.severity == "leak"
    assert leak.leaky is not None
    assert leak.clean is not None
    assert leak.leaky.macro_f1 - leak.clean.macro_f1 > 0.1
    assert "group_across" not in {f.kind for f in of("group").findings}


@pytest.mark.real
def test_products_of_real_rules_do_not_leak(shared_data: Path) -> None:
    task = Task.model_validate(
        {
            "task": "panther",
            "data": {
                "rows": str(shared_data / "alerts/panther.jsonl.gz"), "id": "id", "input": "text",
                "group": "product", "split": {"by": "group"},
            },
        }
    )  # fmt: skip
    dataset = read_dataset(task)
    found = audit_splits(split_rows(dataset, task), task, dataset.labels)
    assert not found.has_leak
    assert len(found.leaked_ids) <= 5
