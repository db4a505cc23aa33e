"""``whichlever logs templates``: what of each line is constant, from few labelled ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import DataError

MAX_LINES = 1_000_000


def templates(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Log lines, or JSON lines (.gz).")],
    labelled: Annotated[
        Path | None,
        typer.Option(metavar="JSONL", help="Labelled lines: text and template, <*> for a value."),
    ] = None,
    ask: Annotated[
        int, typer.Option(metavar="N", help="Print the N lines most worth a label, and stop.")
    ] = 0,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column of JSON lines with the text.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="JSONL", help="Write every line's template here.")
    ] = None,
    json: Json = False,
) -> None:
    """Find the templates of a file's lines; --ask says which lines to label first."""
    go_offline()
    from itertools import islice

    from whichlever.cli.log_lines import read_texts
    from whichlever.infer.templates import choose_lines, mine_templates

    lines = list(islice(read_texts(file, column), MAX_LINES + 1))
    if len(lines) > MAX_LINES:
        raise DataError(f"{file}: more than {MAX_LINES:,} lines; take a part of it (head, shuf)")
    if not lines:
        raise DataError(f"{file}: no lines")
    labels = _labelled(labelled) if labelled else []
    mined = mine_templates(lines, labels)
    if ask:
        for index in choose_lines(lines, ask):
            _print_line({"text": lines[index], "template": mined.template_of(lines[index])})
        return
    found = [mined.template_of(line) for line in lines]
    if out is not None:
        _write(out, lines, found)
    counts = Counter(found).most_common()
    if json:
        print_json([{"template": template, "lines": count} for template, count in counts])
        return
    _table(counts, len(lines))


def _labelled(path: Path) -> list[tuple[str, str]]:
    from whichlever.cli.log_lines import read_objects
    from whichlever.infer.templates.match import align, collapse

    pairs = []
    for number, row in read_objects(path):
        text, template = row.get("text", row.get("content")), row.get("template")
        if not isinstance(text, str) or not isinstance(template, str):
            raise DataError(f'{path.name}:{number}: needs "text" and "template"')
        if align(collapse(text), collapse(template)) is None:
            raise DataError(
                f"{path.name}:{number}: the template does not match its line; "
                "put <*> for what varies and leave the rest as it is"
            )
        pairs.append((text, template))
    return pairs


def _print_line(row: dict[str, str]) -> None:
    import json

    typer.echo(json.dumps(row))


def _write(path: Path, lines: list[str], found: list[str]) -> None:
    import json

    with path.open("w", encoding="utf-8") as stream:
        for number, (line, template) in enumerate(zip(lines, found, strict=True), 1):
            row = {"line": number, "template": template, "variables": _variables(line, template)}
            stream.write(json.dumps(row) + "\n")


def _variables(line: str, template: str) -> list[str]:
    from whichlever.infer.templates.match import align, collapse

    text = collapse(line)
    return [text[start:end] for start, end in align(text, template) or []]


def _table(counts: list[tuple[str, int]], total: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from whichlever.report.visible import shortened

    table = Table("lines", "share", "template")
    for template, count in counts:
        table.add_row(f"{count:,}", f"{count / total:.1%}", Text(shortened(template, 400)))
    console = Console()
    console.print(table)
    console.print(f"{len(counts):,} templates of {total:,} lines")
