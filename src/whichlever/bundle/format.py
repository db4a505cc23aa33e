"""What a bundle holds: its manifest ``bundle.json``, read strictly.

A bundle is one uncompressed tar file (or a folder with the same files)::

    bundle.json                     the manifest: this module
    model/<part>/…                  weights of each part, as its kind stores them
    evidence/{verdict,measures}.json, evidence/trials.parquet, evidence/task.yaml
    card.md                         the model card, from measured results
    bom.cdx.json                    the bill of materials (CycloneDX)
    model.sig                       the signature over everything else
"""

from __future__ import annotations

import json
from bisect import bisect_right
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from whichlever.errors import BundleError

FORMAT = 4
"""The newest format this version writes; older ones are still read.

1 answers with labels (`kind: classify`), 2 with fields of lines (`kind: extract`), 3 with labels
behind a guard, 4 by a decoder: with labels, or in words of its own (`kind: generate`), or
labels behind a guard of more than beginnings. A bundle is
of the oldest format that can say what it holds, so that older versions read what they can.
"""

MANIFEST, SIGNATURE, CARD, BOM = "bundle.json", "model.sig", "card.md", "bom.cdx.json"

PartKind = Literal["linear", "static", "encoder", "crf", "tagger", "shapes", "decoder"]

KINDS: dict[str, PartKind] = {
    "linear": "linear",
    "finetune-static": "static",
    "finetune-encoder": "encoder",
    "finetune-distilled": "static",
    "finetune-distilled-linear": "linear",
    "finetune-distilled-encoder": "encoder",
    "finetune-decoder": "decoder",
    "finetune-distilled-decoder": "decoder",
}
"""The kind of part that each owned lever is, where the task is one of labels."""

LINE_KINDS: dict[str, PartKind] = {"linear": "crf", "finetune-tagger": "tagger"}
"""The same where it is one of fields of lines; compiled shapes may stand before either."""

PART_FILES: dict[str, tuple[str, ...]] = {
    "linear": ("model.json", "arrays.npz"),
    "static": ("static.safetensors",),
    "encoder": ("encoder.onnx", "tokenizer.json"),
    "crf": ("crf.json", "crf.npz"),
    "tagger": ("tagger.json", "tagger.npz"),
    "shapes": ("shapes.json",),
    "decoder": ("model.gguf", "tokenizer.json", "decoder.json"),
}
"""The files of each kind of part, inside ``model/<part>/``."""

LARGEST = 8 * 2**20
"""Bytes that a manifest may have."""

MOST_LABELS, MOST_PARTS, MOST_TOKENS = 100_000, 16, 1_000_000


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Reader(_Model):
    """How a record becomes the text that the model reads.

    With ``pack`` the pack's renderer of that version; else ``input`` (a column, or JSON pointers
    rendered in order), after ``match`` where the task has one. ``id`` is the column of row ids;
    ``hidden`` columns (the target, where a record still has it) are never rendered. ``source`` is
    the column that says what wrote a line, where it is known. ``untrusted`` are the fields that an
    attacker writes; a guard reads the record without them too.
    """

    pack: str | None = Field(default=None, pattern=r"^[a-z0-9_-]+@\d+$")
    input: str | tuple[str, ...] | None = None
    match: str | None = None
    id: str | None = None
    hidden: tuple[str, ...] = ()
    source: str | None = None
    max_chars: int = Field(default=100_000, ge=1)
    untrusted: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.pack is None and self.input is None:
            raise ValueError("needs pack or input")
        return self


class Part(_Model):
    """One model inside: where its files are, and its weight where several are joined."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    kind: PartKind
    weight: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int | None = Field(
        default=None, ge=2, le=MOST_TOKENS, description="The encoder's or decoder's window."
    )
    precision: Literal["fp32", "int8", "f16", "q8_0"] = "fp32"


class Handing(_Model):
    """From which doubt on a row is handed to a person (a packed ``hybrid``).

    ``score`` as in `whichlever.infer.hybrid.doubts`; ``costs`` is the task's mistake cost of true
    (row) → said (column) label for ``cost``.
    """

    score: Literal["doubt", "cost"]
    threshold: float
    then: Literal["person"] = "person"
    costs: tuple[tuple[float, ...], ...] | None = None


class Guard(_Model):
    """A label that closes a row is said only where other views of the row say it too.

    As in `whichlever.infer.guard.GuardedPredictor`; ``novelty`` is the hashes of training words,
    in base64. Before format 4 there were ``beginnings`` alone.
    """

    closes: str
    least: int = Field(ge=1, le=10**9)
    floor: float = Field(default=0.0, ge=-1, le=0)
    views: tuple[Literal["trusted", "beginnings", "endings"], ...] = ("beginnings",)
    trusted_floor: float = Field(default=0.0, ge=0, le=1)
    one_form: bool = False
    novelty: str | None = Field(default=None, min_length=4, max_length=2**20)
    novelty_limit: float = Field(default=1.0, ge=0, le=1)

    @property
    def plain(self) -> bool:
        """Whether it asks beginnings and nothing else."""
        return self.views == ("beginnings",) and not self.one_form and self.novelty is None


class Steps(_Model):
    """From a parser's own confidence to the probability that a line is right: a rising staircase.

    ``edges`` are the lowest confidence of each step, ``shares`` its probability.
    """

    edges: tuple[float, ...] = Field(max_length=100_000)
    shares: tuple[Annotated[float, Field(ge=0, le=1)], ...]

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.edges) != len(self.shares) or list(self.edges) != sorted(self.edges):
            raise ValueError("every step needs an edge and a share, edges ascending")
        return self

    def of(self, confidence: float) -> float:
        """The probability for a confidence."""
        if not self.edges:
            return confidence
        return self.shares[max(0, bisect_right(self.edges, confidence) - 1)]


class Trained(_Model):
    """What it learned from: digests and counts, never rows."""

    rows_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    roles: dict[str, int] = {}
    files: dict[str, str] = Field(default={}, description="Data file name → SHA-256.")
    seed: int = 0


class Manifest(_Model):
    """``bundle.json``."""

    format: Annotated[int, Field(ge=1, le=FORMAT)] = 1
    kind: Literal["classify", "extract", "generate"] = "classify"
    task: str = Field(min_length=1, max_length=200)
    about: str = ""
    lever: str
    what: str
    labels: tuple[str, ...] = Field(max_length=MOST_LABELS)
    meanings: dict[str, str] = {}
    reader: Reader
    parts: tuple[Part, ...] = Field(min_length=1, max_length=MOST_PARTS)
    temperature: float | None = Field(default=None, ge=1e-3, le=1e3)
    abstain_below: float | None = Field(
        default=None, gt=0, lt=1, description="Answers less probable than this abstain."
    )
    handing: Handing | None = None
    guard: Guard | None = None
    steps: Steps | None = Field(default=None, description="extract: what a confidence means.")
    pooled: bool = Field(
        default=False, description="Parts are pooled (`infer.joined.pool`), even where one is left."
    )
    trained: Trained
    versions: dict[str, str] = {}

    @model_validator(mode="after")
    def _of_decoder(self) -> Self:
        kinds = [part.kind for part in self.parts]
        if "decoder" in kinds and (self.format < 4 or len(kinds) > 1):
            raise ValueError("a decoder is of format 4, and stands alone")
        if self.kind != "generate":
            return self
        if kinds != ["decoder"] or self.labels:
            raise ValueError("open answers need a decoder, and have no labels")
        more = (self.handing, self.guard, self.steps, self.abstain_below)
        if any(one is not None for one in more):
            raise ValueError("open answers have no probability to hand over or abstain by")
        return self

    @model_validator(mode="after")
    def _of_kind(self) -> Self:
        if self.kind == "generate":
            return self
        kinds = [part.kind for part in self.parts]
        if self.kind == "extract":
            if not self.labels:
                raise ValueError("fields need names")
            if self.format < 2:
                raise ValueError("fields of lines are of format 2")
            parsers = [kind for kind in kinds if kind in LINE_KINDS.values()]
            if len(parsers) != 1 or sorted(kinds) not in (parsers, sorted(["shapes", *parsers])):
                raise ValueError("fields of lines need one parser, and shapes before it at most")
            if self.handing is not None or self.pooled or self.guard is not None:
                raise ValueError("fields of lines are neither pooled nor handed over nor guarded")
            return self
        if len(self.labels) < 2:
            raise ValueError("a choice needs two labels")
        if self.guard is not None and (self.format < 3 or self.guard.closes not in self.labels):
            raise ValueError("a guard is of format 3, and closes with one of the labels")
        if self.guard is not None and self.format < 4 and not self.guard.plain:
            raise ValueError("a guard of more than beginnings is of format 4")
        if any(kind not in KINDS.values() for kind in kinds) or self.steps is not None:
            raise ValueError("a part for fields of lines answers with no label")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("a label stands twice")
        if len({p.name for p in self.parts}) < len(self.parts):
            raise ValueError("a part stands twice")
        joined = len(self.parts) > 1 and self.kind == "classify"
        if joined and abs(sum(p.weight for p in self.parts) - 1) > 1e-6:
            raise ValueError("the weights of joined parts do not sum to 1")
        if any(p.kind in ("encoder", "decoder") and p.max_tokens is None for p in self.parts):
            raise ValueError("an encoder or decoder has no max_tokens")
        costs = None if self.handing is None else self.handing.costs
        if self.handing is not None and (self.handing.score == "cost") != (costs is not None):
            raise ValueError("costs belong to a handing by cost, and to no other")
        k = len(self.labels)
        if costs is not None and [len(row) for row in costs] != [k] * k:
            raise ValueError("the costs of handing are not one for every pair of labels")
        return self

    @property
    def model_files(self) -> tuple[str, ...]:
        """Every weight file that must be there."""
        return tuple(f"model/{p.name}/{f}" for p in self.parts for f in PART_FILES[p.kind])

    def to_bytes(self) -> bytes:
        """As stored: JSON, the same bytes for the same content."""
        said = self.model_dump(mode="json")
        if self.format < 4:  # what older versions know nothing of
            said["reader"].pop("untrusted")
            for name in ("views", "trusted_floor", "one_form", "novelty", "novelty_limit"):
                (said["guard"] or {}).pop(name, None)
        if self.format < 3:
            said.pop("guard")
        if self.format == 1:
            said.pop("steps")
            said["reader"].pop("source")
        return as_json(said)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a manifest.

        Raises
        ------
        BundleError
            It is no manifest, or of a newer format.
        """
        if len(content) > LARGEST:
            raise BundleError(f"{MANIFEST}: larger than {LARGEST:,} bytes")
        try:
            said: Any = json.loads(content)
            number = said.get("format") if isinstance(said, dict) else None
            if isinstance(number, int) and number > FORMAT:
                raise BundleError(
                    f"{MANIFEST}: format {number}; this version reads up to {FORMAT}: "
                    "update whichlever"
                )
            return cls.model_validate(said)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BundleError(f"{MANIFEST}: {where}: {first['msg']}") from None
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{MANIFEST}: is no JSON ({error})") from None


def as_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """JSON as a bundle stores it: the same bytes for the same content."""
    return (json.dumps(value, indent=1, ensure_ascii=True, sort_keys=True) + "\n").encode()


def file_name(path: str) -> str:
    """A path's last part: where a file lay on somebody's machine is nobody's business."""
    return PurePosixPath(path.replace("\\", "/")).name
