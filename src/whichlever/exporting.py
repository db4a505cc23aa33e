"""Export: a run's trained decoder as files that other programs load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from whichlever.bundle.finished import Finished
from whichlever.errors import BundleError, CheckFailed
from whichlever.packing_data import find_data
from whichlever.predict import Row
from whichlever.progress import Progress, Silent
from whichlever.run import read_json, write_text

if TYPE_CHECKING:
    from whichlever.models.decoder_gguf import Precision

LEVER = "finetune-decoder"
ASKED = 6
"""Test rows that the exported 16-bit file is asked, and the trained model too."""

PRECISIONS: tuple[Precision, ...] = ("f16", "q8_0", "q4_k_m")
ADAPTER, TEMPLATE = "adapter.gguf", "adapter-template.jinja"

LEAST_SAME = 0.8
"""Share of them that must get the same words: 16 bits may decide a close call otherwise."""

CHATML_TEMPLATE = """{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""
PLAIN_TEMPLATE = "{{ .Prompt }}\nAnswer: "


@dataclass(frozen=True)
class Exported:
    """What was written: names of files with their sizes in bytes, and a sentence on each check."""

    folder: Path
    files: dict[str, int]
    notes: tuple[str, ...]


def export(
    run: str | Path,
    out: str | Path,
    *,
    task: str | Path | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Export the decoder that a finished run trained.

    Writes ``model.safetensors`` with its configuration and tokenizer and, where the base came as
    GGUF, ``model-f16.gguf``, ``model-q8_0.gguf``, ``model-q4_k_m.gguf``, ``adapter.gguf`` (for the
    base, with ``adapter-template.jinja``) and an Ollama ``Modelfile``. All are then asked some test
    rows in llama.cpp, without a system prompt; the 16-bit file must say what the trained model
    says.

    Parameters
    ----------
    run
        The folder that `compare` wrote.
    out
        A folder to write into.
    task
        The task file that was compared, where RUN lies elsewhere.

    Raises
    ------
    BundleError
        The run has no decoder.
    CheckFailed
        The exported file says something else.
    """
    progress = progress or Silent()
    finished, out = Finished.read(Path(run)), Path(out)
    if finished.summary(LEVER) is None:
        raise BundleError(
            f"{run} has no {LEVER}; name the rung under levers.finetune.rungs and compare again "
            "(other levers are packed: whichlever pack)"
        )
    from whichlever.infer.decoder_text import CHATML
    from whichlever.levers.decoder_base import decoder_folder
    from whichlever.levers.finetune_decoder import ADAPTERS, FACTS, read_text
    from whichlever.models.decoder_answers import Answering
    from whichlever.models.decoder_base import unpacked
    from whichlever.models.decoder_gguf import write_adapters, write_merged
    from whichlever.models.decoder_merge import load_adapters, merged_model, save_model

    fit = finished.step(LEVER, FACTS)
    facts = read_json(fit / FACTS)
    found = find_data(finished, None if task is None else Path(task))
    base, gguf = decoder_folder(facts["base"], found.task or finished.task, unpacked)
    with progress.step("merge the adapters", seconds=5):
        model = merged_model(
            base,
            fit / ADAPTERS,
            facts["layers"],
            facts["rank"],
            facts.get("precision", "fp32"),
        )
        text = read_text(base, facts["max_tokens"], facts["room"])
        out.mkdir(parents=True, exist_ok=True)
        save_model(model, base, out)
    notes: list[str] = []
    if gguf is None:
        notes.append("the base came as a folder: no GGUF, which llama.cpp's own converter makes")
    else:
        chatml = text.marks.before != ""
        state, name = model.state_dict(), finished.task.task
        for precision in PRECISIONS:
            with progress.step(f"write GGUF {precision}", seconds=10):
                file = out / f"model-{precision}.gguf"
                write_merged(gguf, state, file, precision, name, chatml=chatml)
        adapters = load_adapters(fit / ADAPTERS)
        write_adapters(gguf, adapters, out / ADAPTER, facts["rank"], name)
        if chatml:  # the base's own template may put words before the first message
            write_text(out / TEMPLATE, CHATML)
        write_text(out / "Modelfile", _modelfile(text.marks.after, chatml=chatml))
        rows = list(found.splits.test[:ASKED]) if found.splits is not None else []
        if chatml and rows:
            room = 2 * facts["room"]
            answering = Answering(model, text, room=room)
            said = answering.say([text.question(row.text) for row in rows])
            notes += _checked(out, gguf, rows, said, room, progress)
        else:
            notes.append("the GGUF files were not asked: the run's test rows are not at hand")
    files = {p.name: p.stat().st_size for p in sorted(out.iterdir()) if p.is_file()}
    return Exported(out, files, tuple(notes))


def _checked(
    out: Path, base: Path, rows: list[Row], said: list[str], room: int, progress: Progress
) -> list[str]:
    """Ask every file the test rows in llama.cpp; a sentence for each.

    Raises
    ------
    CheckFailed
        The 16-bit file says something else than the trained model. Fewer bits, and adapters on a
        base that has fewer bits itself, may decide close calls otherwise: that is said.
    """
    files = [(out / f"model-{precision}.gguf", None) for precision in PRECISIONS]
    asked = [*files, (base, out / ADAPTER)]
    notes = []
    with progress.step("ask the GGUF files in llama.cpp", total=len(asked)) as bar:
        for file, adapter in asked:
            heard = _heard(file, adapter, rows, room)
            same = sum(a == b for a, b in zip(said, heard, strict=True))
            what = file.name if adapter is None else f"the base with {adapter.name}"
            notes.append(
                f"asked in llama.cpp without a system prompt, {what} said the same words as the "
                f"trained model to {same} of {len(rows)} test rows"
            )
            if file.name == "model-f16.gguf" and same < LEAST_SAME * len(rows):
                raise CheckFailed(f"{out}: {notes[-1]}")
            bar.advance()
    return notes


def _heard(file: Path, adapter: Path | None, rows: list[Row], room: int) -> list[str]:
    """What a file says to rows, asked as anybody would."""
    from whichlever.llm import open_llm

    own = "" if adapter is None else (adapter.parent / TEMPLATE).read_text(encoding="utf-8")
    with open_llm(str(file), adapter=adapter, chat_template=own) as client:
        asked = ([{"role": "user", "content": row.text}] for row in rows)
        return [client.complete(m, max_tokens=room).text.strip() for m in asked]


def _modelfile(stop: str, *, chatml: bool) -> str:
    template = CHATML_TEMPLATE if chatml else PLAIN_TEMPLATE
    return (
        f'FROM ./model-f16.gguf\nTEMPLATE """{template}"""\n'
        f'PARAMETER stop "{stop}"\nPARAMETER temperature 0\n'
    )
