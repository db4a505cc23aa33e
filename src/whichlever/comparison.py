"""The main job: every lever on the same test rows, then the verdict.

Each lever is one step, kept under ``fits/<lever>/<key>/`` where the key is a hash of everything
its answers depend on. A run that was killed goes on from the finished steps (and, inside an LLM
lever, from the answers already given); timings and budget stops are recorded once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from whichlever import trials
from whichlever.answer_schema import AnswerSchema
from whichlever.attack import check_attack, with_attacks
from whichlever.autoclose import autoclose_evidence
from whichlever.change import AfterFit
from whichlever.curves import check_curve, run_curve
from whichlever.data import Audit, Dataset, Splits, audit_splits, read_dataset, split_rows
from whichlever.data.target_map import say_unlabelled, with_unlabelled
from whichlever.environment import environment
from whichlever.errors import EgressError, RunError
from whichlever.extracting import prepare_fields, with_lines
from whichlever.generating import audit_texts
from whichlever.hybrid import Joined, check_hybrid, join_hybrid, with_hybrid
from whichlever.judging import check_judge, judge_answers
from whichlever.ladder import rung_ladder
from whichlever.levers import Lever, build
from whichlever.levers.build import family
from whichlever.measure import Measures, summarise
from whichlever.measure.judge import Judging
from whichlever.measure.noise import NoiseEvidence
from whichlever.noise import judge_labels, noise_evidence, with_noise, write_judged
from whichlever.offline import enforced, is_loopback
from whichlever.prices import token_price
from whichlever.progress import Progress, Silent
from whichlever.run import locked, read_json, write_json
from whichlever.run_inputs import write_inputs, write_texts
from whichlever.settings import JudgeSettings, PromptSettings, RagSettings
from whichlever.step import Step, run_step, train_step
from whichlever.task import Task
from whichlever.verdict import Verdict, decide
from whichlever.verifying import with_verification
from whichlever.workload import check_workload, measure_workload

if TYPE_CHECKING:
    import polars as pl

    from whichlever.packing import Packed

EMBEDDED_WINDOW = 4_096
"""Tokens that the embedded language-model server is started with."""


@dataclass(frozen=True)
class Comparison:
    """A finished comparison: where its files are, what was measured, and the verdict."""

    run: Path
    task: Task
    audit: Audit
    measures: Measures
    verdict: Verdict

    def trials(self) -> pl.DataFrame:
        """Every lever's answer to every test row, from ``trials.parquet``."""
        return trials.read(self.run / "trials.parquet")[0]

    def pack(
        self, lever: str | None, out: str | Path, *, abstain_below: float | None = None
    ) -> Packed:
        """Pack one lever (None: the pulled one) as a bundle; see `whichlever.packing.pack`.

        Raises
        ------
        BundleError
            The lever cannot be packed.
        """
        from whichlever.packing import pack

        return pack(self.run, out, lever=lever, abstain_below=abstain_below)

    @classmethod
    def load(cls, run: str | Path) -> Comparison:
        """Read a finished RUN folder again.

        Raises
        ------
        RunError
            The folder holds no finished run.
        """
        run = Path(run)
        try:
            return cls(
                run=run,
                verdict=Verdict.model_validate(read_json(run / "verdict.json")),
                measures=Measures.model_validate(read_json(run / "measures.json")),
                audit=Audit.model_validate(read_json(run / "audit.json")),
                task=Task.load(run / "task.yaml"),
            )
        except ValidationError as error:
            raise RunError(
                f"{run} was written by another version of whichlever, or is damaged; "
                "run compare again"
            ) from error


@dataclass(frozen=True)
class Prepared:
    """Rows read, split and audited: what every lever's step stands on."""

    dataset: Dataset
    splits: Splits
    audit: Audit


def prepare(task: Task, progress: Progress | None = None) -> Prepared:
    """Read, split and audit a task's rows.

    Raises
    ------
    DataError
        The rows cannot be used; one line with file, row and remedy.
    """
    progress = progress or Silent()
    with progress.step("read rows") as bar:
        dataset = read_dataset(task)
        check_workload(task, dataset.labels)
        check_attack(task, dataset.labels)
        if dataset.unlabelled:
            bar.note(f"left out for want of a label: {say_unlabelled(dataset.unlabelled)}")
    with progress.step("split"):
        splits = split_rows(dataset, task)
    if task.kind == "extract":
        dataset, audit = prepare_fields(dataset, splits, task, progress)
        return Prepared(dataset, splits, audit)
    if task.kind == "generate":
        with progress.step("audit"):
            return Prepared(
                dataset, splits, audit_texts(splits, task, dataset.labels, _windows(task))
            )
    with progress.step("audit"):
        audit = audit_splits(splits, task, dataset.labels, windows=_windows(task))
        audit = with_unlabelled(audit, dataset.unlabelled)
    return Prepared(dataset, splits, audit)


def compare(
    task: Task,
    run: str | Path | None = None,
    *,
    only: Collection[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    allow_egress: Collection[str] = (),
    keep_texts: bool = True,
) -> Comparison:
    """Measure every lever of a task on the same test rows and decide.

    Parameters
    ----------
    task
        The task; its ``levers:`` say what is measured.
    run
        Folder for the results; ``runs/<task>`` by default. The same call on the same folder goes
        on where an earlier one stopped.
    only
        Levers to measure, by family or id; all by default.
    seed
        Seeds training, sampling and statistics.
    allow_egress
        Hosts that LLM servers may be reached at; none by default.
    keep_texts
        Keep the beginning of each test row's text in RUN, for the report's worst mistakes, and
        the requests for somebody else's model; False keeps no input.

    Raises
    ------
    WhichleverError
        Bad input, a server or weights that cannot be used, or a RUN folder in use.
    """
    progress = progress or Silent()
    run = Path(run) if run is not None else Path("runs") / task.task
    levers = build(task, only)
    _refuse_egress(task, {family(lever) for lever in levers}, allow_egress)
    _refuse_unknown_prices(task)
    with enforced(frozenset(allow_egress)):
        hybrid = check_hybrid(task, [lever.id for lever in levers], only)
        check_curve(task, [lever.id for lever in levers])
        check(levers, task)
        AnswerSchema.of(task)  # refused now rather than after training
        check_judge(task)
        prepared = prepare(task, progress)
    with enforced(frozenset(allow_egress)), locked(run):
        judged = judge_labels(task, prepared.dataset, prepared.splits, run, seed, progress)
        prepared = replace(prepared, audit=with_noise(prepared.audit, judged))
        write_inputs(run, task, prepared.dataset, prepared.splits, prepared.audit)
        write_texts(run, task, prepared.dataset, prepared.splits, keep=keep_texts)
        write_judged(run, prepared.splits, judged, keep_texts)
        write_json(run / "environment.json", environment(seed, prepared.dataset.fingerprint))
        after = AfterFit(task, prepared.dataset, prepared.splits, seed, progress)
        steps = [
            run_step(
                lever,
                task,
                prepared.dataset,
                prepared.splits,
                run,
                seed,
                progress,
                after,
                keep_texts=keep_texts,
            )
            for lever in levers
        ]
        suspects = noise_evidence(
            task, prepared.dataset, prepared.splits, judged, steps, seed, progress
        )
        judged_texts = judge_answers(
            task, prepared.splits.test, steps, run, seed, progress, keep_texts=keep_texts
        )
        return _conclude(
            run, task, prepared, steps, seed, progress, hybrid=hybrid, after=after, noise=suspects,
            judge=judged_texts,
        )  # fmt: skip


def train(
    task: Task,
    run: str | Path,
    lever: str,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    allow_egress: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Fit the levers of one family, or one lever by id; no test row is answered.

    The fit stays in the step's folder, where a later `compare` takes it up (levers whose fit is
    quick, such as the nearest-neighbour vote, are simply fitted again).

    Returns
    -------
    list of dict
        Per lever: ``lever``, ``what``, ``chosen``, ``rows_seen``, ``fit_seconds``, ``folder``.
    """
    progress = progress or Silent()
    run = Path(run)
    levers = build(task, [lever])
    _refuse_egress(task, {family(made) for made in levers}, allow_egress)
    with enforced(frozenset(allow_egress)):
        check(levers, task)
        prepared = prepare(task, progress)
    with enforced(frozenset(allow_egress)), locked(run):
        write_inputs(run, task, prepared.dataset, prepared.splits, prepared.audit)
        return [
            train_step(made, task, prepared.dataset, prepared.splits, run, seed, progress)
            for made in levers
        ]


def _conclude(
    run: Path,
    task: Task,
    prepared: Prepared,
    steps: list[Step],
    seed: int,
    progress: Progress,
    *,
    hybrid: bool = False,
    after: AfterFit | None = None,
    noise: NoiseEvidence | None = None,
    judge: Judging | None = None,
) -> Comparison:
    """Join the levers' trials, measure, decide, and write it all down."""
    import polars as pl

    labels = prepared.dataset.labels
    curve = run_curve(run, task, prepared.dataset, prepared.splits, steps, seed, progress)
    with progress.step("measure and decide"):
        priced = [Step(trials.priced(s.frame, s.facts, task), s.facts) for s in steps]
        joined = join_hybrid(task, labels, priced, seed) if hybrid else None
        priced += [joined.step] if isinstance(joined, Joined) else []
        trials.write(
            run / "trials.parquet", pl.concat([s.frame for s in priced], how="diagonal"), labels
        )
        leaked = frozenset(prepared.audit.leaked_ids)
        outcomes = [
            trials.outcome(s.frame.filter(pl.col("role") == "test"), labels, s.facts, leaked)
            for s in priced
        ]
        measures = summarise(outcomes, task, labels, seed=seed)
        measures = with_verification(measures, outcomes, priced, seed)
        measures = with_lines(measures, outcomes, prepared.dataset, prepared.splits, seed)
        measures = with_hybrid(measures, task, joined, seed)
        measures = measures.model_copy(update={"curve": curve})
        ladder = rung_ladder(run, task, prepared.splits, steps, measures, seed)
        measures = measures.model_copy(update={"ladder": ladder})
        closing = autoclose_evidence(task, labels, steps)
        measures = measures.model_copy(update={"autoclose": closing})
        on_shift = measure_workload(outcomes, task, prepared.dataset, seed, progress)
        measures = measures.model_copy(
            update={"workload": on_shift, "noise": noise, "judge": judge}
        )
        if after is not None:
            measures = after.evidence(measures)
    measures = with_attacks(measures, task, prepared.dataset, prepared.splits, run, seed, progress)
    with progress.step("decide"):
        verdict = decide(task, measures, audit_note=audit_note(prepared.audit))
        write_json(run / "measures.json", measures.model_dump(mode="json"))
        write_json(run / "verdict.json", verdict.model_dump(mode="json"))
    return Comparison(run, task, prepared.audit, measures, verdict)


def decide_again(run: Path, update: Mapping[str, Any]) -> Comparison:
    """Decide a finished run again with more measured of it, and write that down.

    Parameters
    ----------
    update
        Fields of `Measures` by name.
    """
    done = Comparison.load(run)
    measures = done.measures.model_copy(update=dict(update))
    verdict = decide(done.task, measures, audit_note=audit_note(done.audit))
    write_json(run / "measures.json", measures.model_dump(mode="json"))
    write_json(run / "verdict.json", verdict.model_dump(mode="json"))
    return replace(done, measures=measures, verdict=verdict)


def check(levers: Sequence[Lever], task: Task) -> None:
    """Let every lever say now what it would say after hours: extras, weights, files, servers.

    Raises
    ------
    WhichleverError
        The first thing that is missing.
    """
    for lever in levers:
        early = getattr(lever, "check", None)
        if early is not None:
            early(task)


def audit_note(audit: Audit) -> str | None:
    """What the audit found that limits the verdict, in one sentence; None where nothing does."""
    leaks = [found for found in audit.findings if found.severity == "leak"]
    if not leaks:
        return None
    said = "; ".join(found.text for found in leaks)
    return f"The audit found a leak, so every figure here may promise too much: {said}."


def _windows(task: Task) -> dict[str, int]:
    """Each lever's input window in tokens, where the task says it."""
    windows: dict[str, int] = {}
    if task.levers.finetune is not None and "encoder" in task.levers.finetune.rungs:
        windows["finetune-encoder"] = task.levers.finetune.max_tokens
    for name in ("prompt", "rag"):
        settings = getattr(task.levers, name)
        if settings is not None:
            named = task.llms.get(settings.model)
            windows[name] = named.context if named is not None else EMBEDDED_WINDOW
    return windows


def _refuse_unknown_prices(task: Task) -> None:
    """Say before anything runs that ``price_as`` names no model of the price table."""
    named = [llm.price_as for llm in task.llms.values()]
    named += [answers.price_as for answers in task.levers.recorded.values()]
    for name in named:
        if name is not None:
            token_price(name)


def _refuse_egress(task: Task, families: set[str], allow: Collection[str]) -> None:
    """Say before anything runs that a server needs ``--allow-egress``."""
    from urllib.parse import urlsplit

    allowed = {host.lower() for host in allow}
    asked: dict[str, PromptSettings | RagSettings | JudgeSettings | None] = {
        f"lever {name}": getattr(task.levers, name)
        for name in ("prompt", "rag")
        if name in families
    }
    for who, settings in {**asked, "judge": task.judge}.items():
        if settings is None or settings.model not in task.llms:
            continue
        llm = task.llms[settings.model]
        host = (urlsplit(llm.base_url).hostname or "").lower()
        if is_loopback(host) or host in allowed:
            continue
        raise EgressError(
            f"{who} asks {settings.model} at {host}, which is not this machine; "
            f"allow it with --allow-egress {host}"
        )
