"""Known shapes against drain3 on the same simulated lines, in turn, in one run, on one core.

    python bench/log_shapes.py [--lines 30000] [--rounds 15] [--endless 10000000]

Shapes are learned from 6,000 simulated, labelled lines (the demo's sources), stored and read back,
so that what is timed is what a bundle holds. The lines are others of the same sources; only those
that a shape answers are timed, since the tagger reads the rest. Four figures of ours:

    match    parse_many: every line answered, nobody looks at the answers
    fields   and every line's fields made, timestamps as ISO-8601, integers as integers
    spans    and every line's spans, as objects
    json     fields, and a JSON line of each answer as `whichlever run` writes it

drain3 runs with its defaults on the same lines, which it has all seen before (`add`, its way of
answering and learning, and `match`, answering only). Seconds are processor seconds of this process,
of each batch of 500 lines the best of all rounds, so that what else runs on the machine counts
little; the same for drain3.
`--endless` streams that many simulated lines through a cascade instead, and prints the memory.
Writes bench/results/log_shapes.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from whichlever.fields.align import align
from whichlever.fields.schema import infer
from whichlever.fields.spans import LabelledLine, Parsed
from whichlever.infer.cascade import Cascade
from whichlever.infer.shapes import ShapeBook
from whichlever.packs.logs.simulate import simulate, simulate_lines

RESULTS = Path(__file__).parent / "results" / "log_shapes.json"
BATCH = 500
YEAR = 2024


def taught(rows: int) -> ShapeBook:
    lines = [
        LabelledLine(row["raw"], row["fields"], row["source"])
        for row in (made.row for made in simulate(rows, 0))
    ]
    aligned = align(lines).lines
    book = ShapeBook(infer(aligned), YEAR)
    book.learn_many(
        [(one.line.text, Parsed(one.spans, 1.0), one.line.source) for one in aligned],
        labelled=True,
    )
    return ShapeBook.from_bytes(book.to_bytes(), YEAR)


def match(book: ShapeBook, lines: Sequence[str]) -> None:
    book.parse_many(lines)


def fields(book: ShapeBook, lines: Sequence[str]) -> None:
    for answer in book.parse_many(lines):
        answer.fields  # noqa: B018 - made when looked at


def spans(book: ShapeBook, lines: Sequence[str]) -> None:
    for answer in book.parse_many(lines):
        answer.spans  # noqa: B018


def json_lines(book: ShapeBook, lines: Sequence[str]) -> None:
    dumps = json.dumps
    for number, answer in enumerate(book.parse_many(lines)):
        dumps(
            {
                "id": number,
                "fields": answer.fields,
                "spans": answer.places(),
                "shape": answer.shape,
                "abstain": False,
            }
        )


def lines_per_second(
    work: Callable[[Sequence[str]], object], lines: Sequence[str], rounds: int
) -> int:
    """Each batch at its best of the rounds, all batches added up."""
    best: dict[int, float] = {}
    for _ in range(rounds):
        for at in range(0, len(lines), BATCH):
            batch = lines[at : at + BATCH]
            started = time.process_time()
            work(batch)
            took = time.process_time() - started
            best[at] = min(took, best.get(at, took))
    return round(len(lines) / sum(best.values()))


def race(lines: int, rounds: int) -> dict[str, object]:
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

    book = taught(6_000)
    drawn = list(simulate_lines(lines, 7))
    known = [x for x, answer in zip(drawn, book.parse_many(drawn), strict=True) if answer]
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    miner = TemplateMiner(config=config)
    for line in known:
        miner.add_log_message(line)
    sample = known[: max(BATCH, len(known) // 10)]
    ours = {"match": match, "fields": fields, "spans": spans, "json": json_lines}
    speed = {
        name: lines_per_second(lambda batch, r=run: r(book, batch), known, rounds)
        for name, run in ours.items()
    }
    for name, call in (("drain3 add", miner.add_log_message), ("drain3 match", miner.match)):
        speed[name] = lines_per_second(
            lambda batch, c=call: [c(line) for line in batch], sample, rounds
        )
    return {
        "python": platform.python_version(),
        "shapes": len(book),
        "drain3_clusters": len(miner.drain.clusters),
        "lines": len(known),
        "share_known": round(len(known) / len(drawn), 4),
        "mean_length": round(sum(map(len, known)) / len(known), 1),
        "rounds": rounds,
        "lines_per_second": speed,
    }


class NoTagger:
    """Stands where the tagger would: unsure of everything, so that nothing is learned."""

    def parse(self, lines: Sequence[str], sources: object = None) -> list[Parsed]:  # noqa: D102
        return [Parsed((), 0.0) for _ in lines]


def endless(lines: int) -> dict[str, object]:
    cascade = Cascade(taught(6_000), NoTagger())
    stream = simulate_lines(lines, 11)
    peaks, done = [], 0
    while batch := list(islice(stream, 10_000)):
        for answer in cascade.parse(batch):
            answer.fields  # noqa: B018
        done += len(batch)
        if done % max(lines // 10, 1) < 10_000:
            peaks.append({"lines": done, "peak_mb": peak_mb()})
            print(json.dumps(peaks[-1]), flush=True)
    return {"lines": done, "answered_by_shapes": cascade.tally.shapes, "peaks": peaks}


def peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--endless", type=int, default=0)
    args = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if args.endless:
        found["endless"] = endless(args.endless)
    else:
        found["race"] = race(args.lines, args.rounds)
    print(json.dumps(found, indent=1))
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
