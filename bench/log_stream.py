"""Events a second and memory of `run --format logs`, end to end, on simulated lines without end.

    python bench/log_stream.py [--events 1000000] [--bundle model.wl] [--source NAME] [--no-learn]

Another process writes simulated lines, never the same one twice, into a pipe; this one reads the
pipe, answers each line by compiled shapes first and the tagger otherwise, and writes ECS JSON lines
to the null device: the whole way of a line but the disk. Without a bundle a tagger is trained
first, on 2,000 simulated rows of another seed. Memory is looked at every twentieth of the way; flat
means that the second half adds less than a tenth to the first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from whichlever.runtime.logs.answering import Answering, Parser
from whichlever.runtime.logs.checkpoint import State
from whichlever.runtime.logs.events import Joiner
from whichlever.runtime.logs.feeds import Pipe
from whichlever.runtime.logs.masks import event_rule
from whichlever.runtime.logs.record import Records
from whichlever.runtime.logs.sink import Sink
from whichlever.runtime.logs.stream import Stream

RESULT = Path(__file__).with_name("results") / "log_stream.json"
WRITER = """
import sys
from whichlever.packs.logs.simulate import simulate_lines
out = sys.stdout
for line in simulate_lines(int(sys.argv[1]), 11, sys.argv[2] or None):
    out.write(line.replace("\\n", " ") + "\\n")
"""
LOOKS = 20


def trained(learn: bool) -> Parser:
    """A cascade that was trained on simulated rows."""
    from whichlever.fields.spans import LabelledLine
    from whichlever.infer.cascade import Cascade
    from whichlever.infer.shapes import ShapeBook
    from whichlever.infer.tagger import Tagger
    from whichlever.models.tagger import train_tagger
    from whichlever.packs.logs.simulate import simulate

    rows = [line.row for line in simulate(2_000, 0)]
    lines = [LabelledLine(row["raw"], row["fields"], row["source"]) for row in rows]
    print("training on 2,000 simulated rows ...", file=sys.stderr)
    tagger = Tagger.from_bytes(train_tagger(lines, seed=0, seconds=60))
    cascade = Cascade(ShapeBook(tagger.schema), tagger)
    cascade.parse([line.text for line in lines], [line.source for line in lines])
    return cascade if learn else Cascade(cascade.shapes, tagger, learn=False)


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(parser: Parser, events: int, source: str | None) -> dict[str, Any]:
    """Run the stream, looking at it as it goes."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(events), source or ""], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    answering = Answering(parser, Records("ecs"))
    looks: list[tuple[int, float]] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.2):
            if answering.events >= (len(looks) + 1) * events / LOOKS:
                looks.append((answering.events, round(resident(), 1)))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    with Path(os.devnull).open("wb", buffering=0) as null:
        sink = Sink(null, 0, "null", seekable=False)
        pipe = Pipe(writer.stdout.fileno(), source)
        used, began = time.process_time(), time.perf_counter()
        stream = Stream([pipe], Joiner(event_rule("none")), answering, sink, State(None, {}))
        done = stream.run()
        took, used = time.perf_counter() - began, time.process_time() - used
    ended.set()
    watcher.join()
    assert done.events == events, "a line was lost"
    half = [mb for at, mb in looks if at >= events / 2]
    first = [mb for at, mb in looks if at < events / 2]
    return {
        "events": done.events, "source": source, "errors": done.errors,
        "by_shape": round(done.by_shape / done.events, 4), "shapes": len(done.shapes),
        "events_per_second": round(done.events / took),
        "events_per_cpu_second": round(done.events / used),
        "megabytes_out": round(done.bytes_out / 1e6),
        "resident_mb": [mb for _, mb in looks],
        "flat": bool(first and half and max(half) < 1.1 * max(first)),
        "processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
    }  # fmt: skip


def main() -> None:
    """Measure and write bench/results/log_stream.json."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=1_000_000)
    asked.add_argument("--bundle", type=Path)
    asked.add_argument("--source")
    asked.add_argument("--no-learn", action="store_true")
    options = asked.parse_args()
    if options.bundle is None:
        parser = trained(not options.no_learn)
    else:
        from whichlever.bundle import open_bundle
        from whichlever.runtime.logs.bundled import reading_of

        parser = reading_of(open_bundle(options.bundle, allow_unsigned=True)).parser
    found = measure(parser, options.events, options.source)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
