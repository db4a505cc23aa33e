"""The verdict tested against itself: known truth, real rows, and the labels it asks for.

    python bench/validity.py RUN [--quick] [--data ../shared/data] [--part known|labels|real|page]

RUN keeps every draw (one JSON line each) and the levers' answers to real rows, so that a run that
was killed goes on; a change of the statistics begins the draws again, not the fits. At the end
docs/results/validity.json is written and its page filled.

What is counted, once per draw of a test set (exact definitions in `validity_judge.held`):

winner claim
    The verdict's outcome is "pull": its lever is said to be as good as the best eligible one within
    the declared margin, or strictly ahead.
false winner
    A winner claim whose lever's true score is behind the truly best lever's by more than the
    margin. At most 5 % of verdicts may be so.
false direction
    A paired test that is significant after Holm, or the sentence "It is ahead of every other
    eligible lever", where the true scores do not differ or differ the other way; counted once per
    verdict.
contradicted winner
    On real rows, where the truth is a large disjoint part of the rows: the 95 % interval of another
    eligible lever minus the pulled one, on those rows, lies wholly above the margin.

``known``: simulated levers whose true scores are exact. ``labels``: two to four equally good levers
(and, beside them, unequal ones), a first test set on which the verdict was "cannot tell", and then
(1) a new test set of the size it asked for and (2) the first one grown to that size: is a verdict
given? For equally good levers, which is what the number promises 80 % for, (1) must be 70 to 90 %.
``real``: see `validity_real`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from validity_judge import exact, held, judge
from validity_real import SETS, answers_of, drawn
from validity_worlds import CLASSES, GAPS, Ints, World
from whichlever.measure.summary import Measures
from whichlever.verdict import Verdict

ROOT = Path(__file__).resolve().parents[1]
SIZES = (200, 500, 1000, 2000)
REAL_SIZES = (150, 300, 600)
METRICS = ("accuracy", "macro_f1")
MARGINS = (0.02, 0.05)
SEEDS = (0, 1, 2)
MOST_ROWS = 8_000
"""Follow-up test sets beyond this are not drawn: they are counted as left out."""

ENGINE = (
    "measure/best.py", "measure/draws.py", "measure/intervals.py", "measure/jackknife.py",
    "measure/paired.py", "measure/pairs.py", "measure/power.py", "measure/scores.py",
    "verdict/choice.py",
)  # fmt: skip
"""What the figures depend on: draws made by other versions of these are not counted."""

Groups = tuple[str, ...] | None
Draw = tuple[str, Callable[[], dict[str, Any]]]


def engine() -> str:
    """Digest of the statistics and of this bench's own worlds."""
    files = [ROOT / "src" / "whichlever" / name for name in ENGINE]
    files += [ROOT / "bench" / f"validity_{name}.py" for name in ("judge", "worlds")]
    text = b"".join(path.read_bytes() for path in files)
    return hashlib.sha256(text).hexdigest()[:12]


def known_draws(times: int) -> Iterator[Draw]:
    """Every kind of world at every sample size, ``times`` over; the edge three times as often."""
    cells = list(product(METRICS, CLASSES, (False, True), GAPS, SIZES))
    for again in range(times):
        for number, (metric, classes, grouped, gap, rows) in enumerate(cells):
            for extra in range(3 if gap == "edge" else 1):
                seed = [again, number, extra]

                def make(
                    seed: list[int] = seed, rows: int = rows, *,
                    parts: tuple[str, str, bool, str] = (metric, classes, grouped, gap),
                ) -> dict[str, Any]:  # fmt: skip
                    dice = np.random.default_rng(seed)
                    world = World(
                        *parts, int(dice.integers(2, 6)), float(dice.choice(MARGINS)),
                        float(dice.choice((0.6, 0.9))),
                    )  # fmt: skip
                    found = _in_world(world, *world.draw(dice, rows), seed=seed[0])
                    return {**found, **_facts(world), "asked_rows": rows}

                yield f"known/{'-'.join(map(str, seed))}", make


def label_draws(times: int) -> Iterator[Draw]:
    """First test sets of 150 and 300 rows, and what becomes of the rows asked for."""
    cells = list(
        product(METRICS, CLASSES, (False, True), ("none", "none", "small", "edge"), (150, 300))
    )
    for again in range(times):
        for number, (metric, classes, grouped, gap, rows) in enumerate(cells):

            def make(
                seed: tuple[int, int] = (again, number), rows: int = rows, *,
                parts: tuple[str, str, bool, str] = (metric, classes, grouped, gap),
            ) -> dict[str, Any]:  # fmt: skip
                dice = np.random.default_rng([*seed, 77])
                world = World(
                    *parts, int(dice.integers(2, 5)), 0.03, float(dice.choice((0.6, 0.9)))
                )
                return _label_draw(world, dice, rows, seed[0]) | _facts(world)

            yield f"labels/{again}-{number}", make


def _label_draw(world: World, dice: np.random.Generator, rows: int, seed: int) -> dict[str, Any]:
    targets, answers, groups = world.draw(dice, rows)
    first = _in_world(world, targets, answers, groups, seed=seed)
    more = first["labels_needed"]
    out = {"first": first, "fresh": None, "grown": None, "left_out": False}
    if first["outcome"] != "cannot tell" or not more:
        return out
    total = len(targets) + more
    if total > MOST_ROWS:
        return {**out, "left_out": True}
    out["fresh"] = _in_world(world, *world.draw(dice, total), seed=seed)
    added = world.draw(dice, more)
    together = None if groups is None else (*groups, *(f"new-{g}" for g in added[2] or ()))
    both = {who: np.concatenate([said, added[1][who]]) for who, said in answers.items()}
    grown = np.concatenate([targets, added[0]])
    out["grown"] = _in_world(world, grown, both, together, seed=seed)
    return out


def _in_world(
    world: World, targets: Ints, answers: dict[str, Ints], groups: Groups, *, seed: int
) -> dict[str, Any]:
    dear = {name: 1000 * (world.levers - i) for i, name in enumerate(world.names)}
    found = judge(
        targets, answers, groups, world.labels,
        metric=world.metric, margin=world.margin, seed=seed, dear=dear,
    )  # fmt: skip
    return held(*found, world.truth(), world.margin)


def _facts(world: World) -> dict[str, Any]:
    return {name: getattr(world, name) for name in world.__dataclass_fields__}


def real_draws(times: int, run: Path, data: Path) -> Iterator[Draw]:
    """Test sets from the real rows, by set, training seed, size and metric."""
    cells = product(SEEDS, SETS, range(times), REAL_SIZES, METRICS)
    truths: dict[str, Any] = {}
    for seed, name, again, rows, metric in cells:

        def make(
            again: int = again, name: str = name, seed: int = seed, rows: int = rows,
            metric: str = metric,
        ) -> dict[str, Any]:  # fmt: skip
            kept = answers_of(name, seed, run, data)
            about = {"set": name, "seed": seed, "asked_rows": rows, "metric": metric}
            test = drawn(kept["pool"], rows, np.random.default_rng([again, seed, rows]))
            if test is None:
                return {**about, "outcome": "too few rows"}
            margin = MARGINS[again % 2]
            about["margin"] = margin
            dear = {w: 1000 + 100 * len(w) for w in test["answers"]}
            dear |= {"linear-half": 500, "linear-fifth": 200, "linear-tenth": 100, "rag-vote": 150}
            key = f"{name}/{seed}/{metric}"
            if key not in truths:
                part = kept["truth"]
                truths[key] = judge(
                    part["targets"], part["answers"], part["groups"], kept["labels"],
                    metric=metric, margin=margin, seed=0, dear=dear,
                )[0]  # fmt: skip
            measures, verdict = judge(
                test["targets"], test["answers"], test["groups"], kept["labels"],
                metric=metric, margin=margin, seed=again, dear=dear,
            )  # fmt: skip
            return {**about, **_against(verdict, measures, truths[key], margin)}

        yield f"real/{again}-{name}-{seed}-{rows}-{metric}", make


def _against(
    verdict: Verdict, measures: Measures, truth: Measures, margin: float
) -> dict[str, Any]:
    """Hold a verdict against the truth rows: how far they surely contradict it."""
    eligible = [s.lever for s in verdict.standings if s.state == "eligible"]
    surely, likely = 0.0, 0.0
    for other in eligible if verdict.lever else ():
        if other != verdict.lever:
            pair = truth.pair(other, verdict.lever)
            d = pair.difference
            ahead = pair.a == other
            low = d.low if ahead else (None if d.high is None else -d.high)
            surely = max(surely, low if low is not None else 0.0)
            likely = max(likely, d.value if ahead else -d.value)
    claims, wrong = 0, 0
    for pair in measures.pairs:
        if pair.p_holm <= 0.05:
            claims += 1
            d, up = truth.pair(pair.a, pair.b).difference, pair.difference.value > 0
            wrong += bool(d.low is not None and (d.high < 0 if up else d.low > 0))
    return {
        "outcome": verdict.outcome,
        "lever": verdict.lever,
        "labels_needed": verdict.labels_needed,
        "contradicted": bool(verdict.lever and surely > margin),
        "behind_by_value": bool(verdict.lever and likely > margin),
        "claims": claims,
        "false_claim": bool(wrong),
    }


class Ledger:
    """Draws that are done, one JSON line each; a line cut short by a kill is made again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    found = json.loads(line)
                except json.JSONDecodeError:
                    continue
                self.done[found.pop("key")] = found

    def fill(self, name: str, draws: list[Draw], minutes: float | None) -> list[dict[str, Any]]:
        """Make what is missing, with a bar; when the time is up, give what there is.

        The order of simulated draws is random, so that what a budget leaves out is no kind of draw
        in particular; real ones go set by set, one training seed after the other.
        """
        missing = [draw for draw in draws if draw[0] not in self.done]
        if name != "real":
            random.Random(0).shuffle(missing)
        until = None if minutes is None else time.monotonic() + 60 * minutes
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                   TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())  # fmt: skip
        with self.path.open("a") as file, Progress(*columns) as bars:
            bar = bars.add_task(name, total=len(missing))
            for key, make in missing:
                if until is not None and time.monotonic() > until:
                    break
                self.done[key] = make()
                file.write(json.dumps({"key": key, **self.done[key]}) + "\n")
                file.flush()
                bars.advance(bar)
        return [self.done[key] for key, _ in draws if key in self.done]


def share(rows: list[dict[str, Any]], what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """How many of these draws, with the exact interval."""
    return exact(sum(bool(what(r)) for r in rows), len(rows))


def known_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The known worlds by gap, by gap and size, and by kind."""

    def line(some: list[dict[str, Any]]) -> dict[str, Any]:
        pulled = [r for r in some if r["outcome"] == "pull"]
        return {
            "verdict": share(some, lambda r: r["outcome"] == "pull"),
            "false_winner": share(some, lambda r: r["false_winner"]),
            "false_of_pulled": share(pulled, lambda r: r["false_winner"]),
            "false_direction": share(some, lambda r: r["false_claim"]),
            "differences": exact(
                sum(r["pairs_covered"] for r in some), sum(r["pairs"] for r in some)
            ),
            "scores": exact(sum(r["scores_covered"] for r in some), sum(r["scores"] for r in some)),
        }

    def by(*keys: str) -> dict[str, Any]:
        found: dict[str, list[dict[str, Any]]] = {}
        for r in rows:
            found.setdefault(" · ".join(str(r[k]) for k in keys), []).append(r)
        return {name: line(some) for name, some in found.items()}

    return {
        "all": line(rows),
        "by_gap": by("gap"),
        "by_size": by("gap", "margin", "asked_rows"),
        "by_kind": by("metric", "classes", "grouped"),
        "edge_by_kind": {
            name: line([r for r in rows if r["gap"] == "edge" and r["grouped"] == grouped])
            for name, grouped in (("rows", False), ("groups", True))
        },
        "by_levers": by("levers"),
    }


def label_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether the labels asked for sufficed, by how the levers truly stood."""
    out: dict[str, Any] = {}
    for name, keep in (
        ("none", lambda r: r["gap"] == "none"),
        ("none, rows", lambda r: r["gap"] == "none" and not r["grouped"]),
        ("none, groups", lambda r: r["gap"] == "none" and r["grouped"]),
        ("none, 2 levers", lambda r: r["gap"] == "none" and r["levers"] == 2),
        ("none, 3-4 levers", lambda r: r["gap"] == "none" and r["levers"] > 2),
        ("small", lambda r: r["gap"] == "small"),
        ("edge", lambda r: r["gap"] == "edge"),
    ):
        some = [r for r in rows if keep(r)]
        again = [r for r in some if r["fresh"] is not None]
        out[name] = {
            "draws": len(some),
            "asked": len(again),
            "left_out": sum(r["left_out"] for r in some),
            "asked_rows": sorted(r["fresh"]["rows"] for r in again)[len(again) // 2]
            if again else None,
            "fresh": share(again, lambda r: r["fresh"]["outcome"] == "pull"),
            "grown": share(again, lambda r: r["grown"]["outcome"] == "pull"),
            "two_looks_false": share(
                some,
                lambda r: (r["grown"] or r["first"])["false_winner"],
            ),
        }  # fmt: skip
    return out


def real_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Real rows by set and by size."""
    rows = [r for r in rows if r["outcome"] != "too few rows"]

    def line(some: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "verdict": share(some, lambda r: r["outcome"] == "pull"),
            "contradicted": share(some, lambda r: r["contradicted"]),
            "behind_by_value": share(some, lambda r: r["behind_by_value"]),
            "false_direction": share(some, lambda r: r["false_claim"]),
        }

    out = {"all": line(rows), "by_set": {}, "by_size": {}}
    for name in SETS:
        out["by_set"][name] = line([r for r in rows if r["set"] == name])
    for margin, size in product(MARGINS, REAL_SIZES):
        some = [r for r in rows if r["asked_rows"] == size and r["margin"] == margin]
        out["by_size"][f"{margin} · {size}"] = line(some)
    return out


def main() -> None:
    """Draw what is missing, then write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws, no page")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--part", action="append", choices=("known", "labels", "real"))
    parser.add_argument("--times", type=int, default=None, help="repetitions of every cell")
    parser.add_argument("--minutes", type=float, default=None, help="stop each part after so many")
    args = parser.parse_args()
    args.run.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(args.run / f"draws-{engine()}.jsonl")
    times = {"known": 8, "labels": 4, "real": 4}
    if args.quick or args.times:
        times = dict.fromkeys(times, args.times or 1)
    makers: dict[str, Callable[[], Iterator[Draw]]] = {
        "known": lambda: known_draws(times["known"]),
        "labels": lambda: label_draws(times["labels"]),
        "real": lambda: real_draws(times["real"], args.run, args.data),
    }
    summaries = {"known": known_summary, "labels": label_summary, "real": real_summary}
    page = ROOT / "docs" / "results" / "validity.json"
    for part in args.part or makers:
        draws = ledger.fill(part, list(makers[part]()), args.minutes)
        summary = {"draws": len(draws), **summaries[part](draws)}
        if args.quick:
            print(json.dumps({part: summary}, indent=1))
        else:
            found = json.loads(page.read_text()) if page.exists() else {}
            page.write_text(json.dumps({**found, part: summary}, indent=1) + "\n")


if __name__ == "__main__":
    main()
