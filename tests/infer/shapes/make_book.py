"""Books of shapes from made-up and from simulated lines."""

from functools import lru_cache

from whichlever.fields.align import align
from whichlever.fields.normalise import Rule
from whichlever.fields.schema import Schema, infer
from whichlever.fields.spans import LabelledLine, Parsed, Span
from whichlever.infer.shapes import ShapeBook
from whichlever.packs.logs.simulate import simulate

SCHEMA = Schema(
    {
        "user.name": Rule(),
        "source.ip": Rule(),
        "client.ip": Rule(),
        "source.port": Rule("int"),
        "event.action": Rule("lower"),
    }
)
IP = ("client.ip", "source.ip")


def labelled(line, **values):
    """A line's Parsed, each value where it stands; ``ip`` carries two names."""
    names = {
        "user": ("user.name",), "ip": IP, "port": ("source.port",), "act": ("event.action",)
    }  # fmt: skip
    spans = []
    for key, value in values.items():
        at = line.rindex(value)
        spans.append(Span(at, at + len(value), names[key]))
    return Parsed(tuple(sorted(spans, key=lambda s: s.start)), 1.0)


def login(user, ip, port, word="login"):
    line = f"{word}: user {user} from {ip} port {port}"
    return line, labelled(line, user=user, ip=ip, port=port)


@lru_cache(1)
def simulated(rows=700):
    """Aligned simulated lines and their schema."""
    lines = [
        LabelledLine(made.row["raw"], made.row["fields"], made.row["source"])
        for made in simulate(rows, 3)
    ]
    aligned = align(lines).lines
    return aligned, infer(aligned)


def taught(rows=700):
    """A book that has learned the simulated lines."""
    aligned, schema = simulated(rows)
    book = ShapeBook(schema, 2024)
    rows = [(one.line.text, Parsed(one.spans, 1.0), one.line.source) for one in aligned]
    assert book.learn_many(rows, labelled=True) > 0.9 * len(rows)
    return book
