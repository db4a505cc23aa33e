"""The tagger of lines on real vendor logs: unseen shapes, and sources never seen before.

    bench/logs.py shapes SEED        whole line shapes held out of every source (three seeds)
    bench/logs.py sources FOLD       all sources of a fifth of the vendors held out (five folds)
    bench/logs.py json               the same two on lines that are JSON, one seed and one fold
    bench/logs.py speed              lines a second on one core, seconds of training
    bench/logs.py gather             docs/results/logs.json and the page, from the parts

Each command writes a part to bench/results/logs/, one record per tested line, so that intervals can
be drawn by shape or by source. Vendors whose sources were looked at while the tagger was made are
``dev`` (bench/logs_tables.py names them); all others were read once, at the end.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from whichlever.fields import LabelledLine, Parsed, Schema, align, infer
from whichlever.fields.pairs import pairs_of
from whichlever.infer.tagger import Tagger
from whichlever.models.tagger.episodes import family_of, line_shape

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "logs"
PARTS = ROOT / "bench" / "results" / "logs"
HELD = 0.3
FOLDS = 5
FEW = (10, 20, 50)
DRAWS = 2
LEAST = 10
"""Lines that must be left to test with."""
MOST = 60
"""Lines tested per source and draw."""
SECONDS = 200.0
CRF_SECONDS = 240.0
FEW_CRF_SECONDS = 120.0

Record = dict[str, Any]
Parse = Callable[[Sequence[LabelledLine]], list[dict[str, Any]]]


def read(name: str = "ecs") -> list[LabelledLine]:
    """The real lines."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [LabelledLine(row["raw"], row["fields"], row["source"]) for row in rows]


def by_source(lines: Sequence[LabelledLine]) -> dict[str, list[int]]:
    """Source → its lines."""
    found: dict[str, list[int]] = defaultdict(list)
    for i, line in enumerate(lines):
        found[str(line.source)].append(i)
    return dict(found)


def records(
    lines: Sequence[LabelledLine],
    said: Sequence[dict[str, Any]],
    schema: Schema,
    method: str,
    **more: int,
) -> list[Record]:
    """What was right in each line, by the rules of the tool's own score."""
    made = []
    for line, fields in zip(lines, said, strict=True):
        true = pairs_of(line.fields, schema, line.source)
        found = pairs_of(fields, schema, line.source)
        made.append(
            {
                "method": method,
                "source": line.source,
                "shape": crc32(line_shape(line.text).encode("utf-8", "replace")),
                "hit": sum((true & found).values()), "said": sum(found.values()),
                "true": sum(true.values()), "exact": true == found, **more,
            }
        )  # fmt: skip
    return made


def answers(found: Sequence[Parsed]) -> list[dict[str, Any]]:
    """Only the fields."""
    return [dict(one.fields) for one in found]


def with_tagger(tagger: Tagger) -> Parse:
    """Parse with the tagger, each line's source given."""
    return lambda lines: answers(
        tagger.parse([one.text for one in lines], [one.source for one in lines])
    )


def with_crf(train: Sequence[LabelledLine], schema: Schema, seed: int, seconds: float) -> Parse:
    """Train the linear floor."""
    from whichlever.infer.crf import Crf
    from whichlever.models.crf import train_crf

    crf = Crf.from_bytes(train_crf(train, schema, seed=seed, seconds=seconds))
    return lambda lines: answers(
        crf.parse([one.text for one in lines], [one.source for one in lines])
    )


def with_neighbours(train: Sequence[LabelledLine], schema: Schema, k: int = 1) -> Parse:
    """Carry fields over from the nearest labelled line."""
    from whichlever.data.line_index import LineIndex
    from whichlever.levers.span_vote import Neighbours
    from whichlever.predict import Row

    found = Neighbours(LineIndex(align(train).lines), schema, k)

    def parse(lines: Sequence[LabelledLine]) -> list[dict[str, Any]]:
        rows = [Row(str(i), one.text, source=one.source) for i, one in enumerate(lines)]
        return [dict(answer.fields or {}) for answer in found.predict(rows)]

    return parse


def save(name: str, made: list[Record], **facts: object) -> None:
    """Write a part."""
    PARTS.mkdir(parents=True, exist_ok=True)
    (PARTS / f"{name}.json").write_text(json.dumps({"facts": facts, "records": made}) + "\n")
    for method in sorted({one["method"] for one in made}):
        for few in sorted({str(one.get("few")) for one in made}):
            some = [o for o in made if o["method"] == method and str(o.get("few")) == few]
            if some:
                hit, both = sum(o["hit"] for o in some), sum(o["said"] + o["true"] for o in some)
                exact = sum(o["exact"] for o in some) / len(some)
                print(
                    f"{name} {method} {few}: F1 {2 * hit / both:.4f}, line {exact:.4f}, {len(some)}"
                )


def split_shapes(lines: Sequence[LabelledLine], seed: int) -> tuple[list[int], list[int]]:
    """Hold whole shapes of each source out; a source of fewer than three shapes only teaches."""
    rng = random.Random(seed)
    train: list[int] = []
    test: list[int] = []
    for own in by_source(lines).values():
        shape = {i: line_shape(lines[i].text) for i in own}
        shapes = sorted(set(shape.values()))
        held = set(rng.sample(shapes, round(len(shapes) * HELD))) if len(shapes) >= 3 else set()
        for i in own:
            (test if shape[i] in held else train).append(i)
    return train, test


def shapes(seed: int, name: str = "ecs") -> None:
    """Unseen shapes of seen sources."""
    from whichlever.models.tagger import train_tagger

    lines = read(name)
    judge = infer(align(lines).lines)
    train, test = split_shapes(lines, seed)
    known, new = [lines[i] for i in train], [lines[i] for i in test]
    started = time.monotonic()
    files = train_tagger(known, seed=seed, seconds=SECONDS)
    seconds = time.monotonic() - started
    tagger = Tagger.from_bytes(files)
    found = tagger.parse([one.text for one in new], [one.source for one in new])
    made = records(new, answers(found), judge, "tagger", seed=seed)
    for record, one in zip(made, found, strict=True):
        record["confidence"] = round(one.confidence, 4)
    guessed = answers(tagger.parse([one.text for one in new]))
    made += records(new, guessed, judge, "tagger, source not told", seed=seed)
    schema = tagger.schema
    made += records(new, with_neighbours(known, schema)(new), judge, "nearest line", seed=seed)
    if seed == 0:  # the floor's training is the slow one
        crf = with_crf(known, schema, seed, CRF_SECONDS)
        made += records(new, crf(new), judge, "CRF", seed=seed)
    save(
        f"shapes-{name}-{seed}", made, train=len(train), test=len(test), seconds=round(seconds, 1),
        bytes=sum(map(len, files.values())),
    )  # fmt: skip


def sources(fold: int, name: str = "ecs") -> None:
    """Sources never seen, with a few labelled lines each; sources of other vendors teach."""
    from whichlever.models.tagger import train_tagger
    from whichlever.models.tagger.extend import extended, own_rules

    lines = read(name)
    judge = infer(align(lines).lines)
    owned = by_source(lines)
    vendors = sorted({family_of(source) for source in owned})
    random.Random(0).shuffle(vendors)
    held = set(vendors[fold::FOLDS])
    teachers = [i for s, own in owned.items() if family_of(s) not in held for i in own]
    started = time.monotonic()
    base = Tagger.from_bytes(train_tagger([lines[i] for i in teachers], seed=fold, seconds=SECONDS))
    print(f"fold {fold}: taught in {time.monotonic() - started:.0f} s", flush=True)
    made: list[Record] = []
    learned = []
    for source, own in sorted(owned.items()):
        if family_of(source) not in held or len(own) < FEW[0] + LEAST:
            continue
        twins = [
            i for s, rows in owned.items()
            if s != source and family_of(s) == family_of(source) for i in rows
        ]  # fmt: skip
        family = base
        if twins:
            others = align([lines[i] for i in twins]).lines
            family = extended(base, others, own_rules(infer(others), others))
        for draw in range(DRAWS):
            mixed = own.copy()
            random.Random(draw).shuffle(mixed)
            for few in FEW:
                if len(own) < few + LEAST:
                    continue
                some = [lines[i] for i in mixed[:few]]
                new = [lines[i] for i in mixed[few : few + MOST]]
                facts = {"few": few, "draw": draw, "fold": fold}
                aligned = align(some).lines
                own_schema = infer(aligned)
                started = time.monotonic()
                taught = extended(base, aligned, own_rules(own_schema, aligned))
                learned.append(time.monotonic() - started)
                found = taught.parse([o.text for o in new], [o.source for o in new])
                part = records(new, answers(found), judge, "tagger", **facts)
                for record, one in zip(part, found, strict=True):
                    record["confidence"] = round(one.confidence, 4)
                made += part
                if twins:
                    more = extended(family, aligned, own_rules(own_schema, aligned))
                    made += records(
                        new, with_tagger(more)(new), judge, "tagger, relatives teach", **facts
                    )
                made += records(
                    new, with_neighbours(some, own_schema)(new), judge, "nearest line", **facts
                )
                if draw == 0:  # its training is the slow one; too short a budget would cripple it
                    crf = with_crf(some, own_schema, draw, FEW_CRF_SECONDS)
                    made += records(new, crf(new), judge, "CRF", **facts)
        print(f"{source} done", flush=True)
    save(
        f"sources-{name}-{fold}",
        made,
        seconds=round(float(np.mean(learned or [0.0])), 2),
        held=sorted(held),
    )


def speed() -> None:
    """One core: lines a second, and how long 20 and 6,000 lines take to learn."""
    from whichlever.models.tagger import train_tagger

    lines = read()
    random.Random(0).shuffle(lines)
    started = time.process_time()
    files = train_tagger(lines[:6000], seconds=SECONDS)
    whole = time.process_time() - started
    tagger = Tagger.from_bytes(files)
    rest = lines[5000:]
    texts, names = [o.text for o in rest], [o.source for o in rest]
    tagger.parse(texts[:64], names[:64])
    rates = []
    for _ in range(3):
        started = time.process_time()
        tagger.parse(texts, names)
        rates.append(len(rest) / (time.process_time() - started))
    few = [o for o in lines if o.source == "sonicwall_firewall.log"][:20]
    started = time.process_time()
    train_tagger(few, seconds=20)
    alone = time.process_time() - started
    started = time.process_time()
    train_tagger(few, base=files)
    on_top = time.process_time() - started
    started = time.process_time()
    tagger.parse(["src=10.0.0.1 dst=10.0.0.2 " * 40_000])
    found = {
        "lines_per_second": round(float(np.median(rates))),
        "characters_per_line": round(sum(map(len, texts)) / len(texts)),
        "seconds_6000_lines": round(whole, 1),
        "seconds_20_lines_alone": round(alone, 1),
        "seconds_20_lines_on_top": round(on_top, 1),
        "seconds_one_megabyte_line": round(time.process_time() - started, 2),
        "bytes": sum(map(len, files.values())),
    }
    PARTS.mkdir(parents=True, exist_ok=True)
    (PARTS / "speed.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found))


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("shapes", "sources", "json", "speed", "gather"))
    parser.add_argument("number", type=int, nargs="?", default=0)
    args = parser.parse_args()
    if args.what == "shapes":
        shapes(args.number)
    elif args.what == "sources":
        sources(args.number)
    elif args.what == "json":
        shapes(0, "ecs_json")
        sources(0, "ecs_json")
    elif args.what == "speed":
        speed()
    else:
        from logs_tables import gather

        gather()


if __name__ == "__main__":
    main()
