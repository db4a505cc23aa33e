"""The files of an export: one set a source, with what was left out and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, get_args

from whichlever.infer.shapes.book import ShapeBook
from whichlever.infer.shapes.exports.fields import captured, not_made
from whichlever.infer.shapes.exports.grok import SAFE, Patterns, logstash
from whichlever.infer.shapes.exports.vrl import program
from whichlever.infer.shapes.known import Known

Format = Literal["grok", "vrl"]
FORMATS: tuple[Format, ...] = get_args(Format)


def export(book: ShapeBook, to: Format) -> dict[str, str]:
    """Write a book's shapes for another engine.

    Shapes that disagree with another one on some line, and lines of which are therefore left to
    the tagger, are left out.

    Returns
    -------
    File name → text.
    """
    by_source: dict[str, list[Known]] = defaultdict(list)
    skipped = 0
    for known in book:
        if book.contested(known.name) or not _writable(known):
            skipped += 1
        else:
            by_source[known.skeleton.source or "all"].append(known)
    files: dict[str, str] = {}
    for source, shapes in sorted(by_source.items()):
        name = SAFE.sub("_", source)[:100]
        if to == "vrl":
            files[f"{name}.vrl"] = program(shapes, book.schema)
            continue
        patterns = Patterns()
        for known in shapes:
            patterns.add(known)
        files[f"patterns/{name}"] = patterns.file()
        files[f"{name}.conf"] = logstash(shapes, book.schema)
    files["README.md"] = _readme(book, by_source, skipped, to)
    return files


def _writable(known: Known) -> bool:
    """Whether the shape's literals are text that a file can hold."""
    try:
        "".join(p for p in known.skeleton.parts if isinstance(p, str)).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _readme(book: ShapeBook, by_source: dict[str, list[Known]], skipped: int, to: Format) -> str:
    left: dict[str, list[str]] = {}
    for shapes in by_source.values():
        for known in shapes:
            if names := not_made(captured(known.skeleton, book.schema)):
                left[known.name] = names
    total = sum(map(len, by_source.values()))
    use = {
        "vrl": "Each `.vrl` file is the `source` of a Vector `remap` transform for one source of "
        "lines; it reads `.message`.",
        "grok": "Each `.conf` file is a Logstash filter for one source of lines; its patterns are "
        "in `patterns`, which any grok reads; the filter renames the captures `wl_<shape>_<n>`.",
    }[to]
    lines = [
        f"# {total} compiled shapes as {to}",
        "",
        "Made by `whichlever logs export`. " + use,
        "",
        f"- {skipped} shapes were left out: another shape disagrees with them on some line.",
        "- Lines that no shape matches need the bundle's tagger (`whichlever run`).",
    ]
    if left:
        lines += [
            "",
            "Fields that stay the text of the line, since no reader for them is there:",
            "",
        ]
        for name, names in sorted(left.items()):
            lines.append(f"- `{name}`: " + ", ".join(f"`{one}`" for one in names))
    return "\n".join(lines) + "\n"


def sources(shapes: Sequence[Known]) -> list[str]:
    """Return the sources that shapes come from, sorted."""
    return sorted({known.skeleton.source or "" for known in shapes})
