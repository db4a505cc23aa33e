"""The bill of materials: CycloneDX 1.6, with a model card in its own terms.

Built with cyclonedx-python-lib, which has no model card of its own yet: the card is put into the
JSON that it writes, and the whole is validated against the official schema where the validator is
installed. It holds no time and no random number: equal bundles have equal bills.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import TYPE_CHECKING, Any

from whichlever.bundle.format import Manifest, as_json
from whichlever.errors import BundleError, MissingExtraError

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

NEEDED = {
    "": ("whichlever", "numpy", "pydantic", "PyYAML"),
    "linear": ("scipy",),
    "static": ("tokenizers", "safetensors"),
    "encoder": ("onnxruntime", "tokenizers"),
    "crf": (),
    "tagger": (),
    "shapes": (),
    "decoder": ("xllamacpp", "tokenizers"),
}
"""Python packages that answering imports, by kind of part; "" is always."""

_SPACE = uuid.UUID("6f1d8c1e-6a4e-5d0b-9d6e-2b3a1f0c7e55")


@dataclass(frozen=True)
class Base:
    """The weights that a fine-tune started from."""

    name: str
    licence: str | None
    sha256: str
    source: str


def write_bom(
    manifest: Manifest,
    files: Mapping[str, bytes],
    measured: Mapping[str, Any],
    base: Base | None = None,
) -> bytes:
    """The bill of materials as JSON.

    Parameters
    ----------
    files
        The bundle's weights by name; their SHA-256 stands in the bill.
    measured
        The packed lever's summary from ``measures.json``.
    base
        What the fine-tuned parts started from, where they did.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:  # pragma: no cover - a core dependency
        raise MissingExtraError("a bill of materials", "all") from None
    said = manifest.to_bytes()
    seed = hashlib.sha256(said + b"".join(hashlib.sha256(f).digest() for f in files.values()))
    bom = Bom(serial_number=uuid.uuid5(_SPACE, seed.hexdigest()))
    model = Component(
        name=manifest.task,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref="model",
        description=f"{manifest.lever}: {manifest.what}",
        version=seed.hexdigest()[:16],
    )
    bom.metadata.component = model
    made = [
        *_weights(files),
        *([_base(base)] if base is not None else []),
        *_data(manifest),
        *_packages(manifest),
    ]
    for component in made:
        bom.components.add(component)
    bom.register_dependency(model, made)
    written: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    written["metadata"].pop("timestamp", None)
    written["metadata"]["component"]["modelCard"] = model_card(manifest, measured)
    return as_json(written)


def validate_bom(content: bytes) -> bool:
    """Check a bill against the official schema; False where no validator is installed.

    Raises
    ------
    BundleError
        It is not a valid bill of materials.
    """
    from cyclonedx.exception import MissingOptionalDependencyException
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    try:
        problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode())
    except MissingOptionalDependencyException:
        return False
    if problem is not None:
        raise BundleError(f"bom.cdx.json is not valid CycloneDX 1.6: {str(problem)[:300]}")
    return True


def model_card(manifest: Manifest, measured: Mapping[str, Any]) -> dict[str, Any]:
    """The model card as CycloneDX has it: what it learned from, and its figures with intervals."""
    metrics = [
        {"type": name, **_interval(said)}
        for name, said in (measured.get("metrics") or {}).items()
        if isinstance(said, dict)
    ]
    card: dict[str, Any] = {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "classification",
            "architectureFamily": ", ".join(p.kind for p in manifest.parts),
            "datasets": [{"ref": "data-rows"}],
            "inputs": [{"format": "text"}],
            "outputs": [{"format": f"one of {len(manifest.labels)} labels, with probabilities"}],
        },
        "considerations": {
            "useCases": [manifest.about or manifest.task],
            "technicalLimitations": ["See card.md: limits, attacks and what was not measured."],
        },
    }
    calibration = measured.get("calibration")
    if isinstance(calibration, dict) and isinstance(calibration.get("ece"), dict):
        metrics.append({"type": "expected_calibration_error", **_interval(calibration["ece"])})
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return card


def _interval(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"value": f"{said.get('value')}"}
    if said.get("low") is not None and said.get("high") is not None:
        found["confidenceInterval"] = {
            "lowerBound": f"{said['low']}",
            "upperBound": f"{said['high']}",
        }
    return found


def sha256_hash(digest: str) -> list[Any]:
    """A digest in hex as CycloneDX writes hashes."""
    from cyclonedx.model import HashAlgorithm, HashType

    return [HashType(alg=HashAlgorithm.SHA_256, content=digest)]


def licences_of(said: str | None) -> list[Any]:
    """A licence as SPDX knows it: an id, an expression, or else whatever it is called."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import fixup_id, is_expression

    if not said:
        return []
    known = fixup_id(said)
    if known is not None:
        return [DisjunctiveLicense(id=known)]
    if is_expression(said):
        return [LicenseExpression(said)]
    return [DisjunctiveLicense(name=said)]


def _weights(files: Mapping[str, bytes]) -> Iterable[Component]:
    from cyclonedx.model.component import Component, ComponentType

    for name, content in sorted(files.items()):
        digest = hashlib.sha256(content).hexdigest()
        yield Component(
            name=name, type=ComponentType.FILE, bom_ref=f"file-{name}", hashes=sha256_hash(digest)
        )


def _base(base: Base) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        name=base.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref="base-weights",
        description=f"The weights that fine-tuning started from ({base.source}).",
        hashes=sha256_hash(base.sha256),
        licenses=licences_of(base.licence),
    )


def _data(manifest: Manifest) -> Iterable[Component]:
    """Digests and counts; never a row."""
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType

    trained = manifest.trained
    yield Component(
        name="rows as read",
        type=ComponentType.DATA,
        bom_ref="data-rows",
        description="Every labelled row of the comparison, as read; the rows are not inside.",
        hashes=sha256_hash(trained.rows_sha256),
        properties=[
            Property(name=f"whichlever:rows:{role}", value=str(n))
            for role, n in trained.roles.items()
        ],
    )
    for name, digest in sorted(trained.files.items()):
        yield Component(
            name=name, type=ComponentType.DATA, bom_ref=f"data-{name}", hashes=sha256_hash(digest)
        )


def _packages(manifest: Manifest) -> Iterable[Component]:
    """What a machine needs installed to answer, at the versions that packed it."""
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    kinds = ("", *sorted({p.kind for p in manifest.parts}))
    for name in sorted({package for kind in kinds for package in NEEDED[kind]}, key=str.lower):
        installed, licence = _installed(name)
        purl = PackageURL("pypi", None, name.lower(), installed)
        yield Component(
            name=name,
            version=installed,
            type=ComponentType.LIBRARY,
            bom_ref=purl.to_string(),
            purl=purl,
            licenses=licences_of(licence),
        )


def _installed(name: str) -> tuple[str | None, str | None]:
    """A package's version and licence here; None where it is not installed or does not say."""
    try:
        said = metadata(name)
        licence = said["License-Expression"] if "License-Expression" in said else None  # noqa: SIM401
        return version(name), licence
    except PackageNotFoundError:
        return None, None
