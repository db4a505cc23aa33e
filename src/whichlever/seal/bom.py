"""The kit's bill of materials: CycloneDX 1.6, with every package, set of weights and bundle.

It holds no time and no random number: equal kits have equal bills.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whichlever.bundle.bom import licences_of, sha256_hash
from whichlever.bundle.format import as_json
from whichlever.errors import MissingExtraError
from whichlever.seal.format import Kit, Package

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

_SPACE = uuid.UUID("3c0f1f0a-55b5-5e0e-9a55-4a3f6c2d9b10")


def write_bom(kit: Kit, needs: Mapping[str, Sequence[str]]) -> bytes:
    """The bill of materials as JSON.

    Parameters
    ----------
    needs
        Package name → names of the packages in the kit that it requires.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:  # pragma: no cover - a core dependency
        raise MissingExtraError("a bill of materials", "all") from None
    digest = hashlib.sha256(kit.to_bytes()).hexdigest()
    bom = Bom(serial_number=uuid.uuid5(_SPACE, digest))
    whole = Component(
        name="whichlever-kit",
        type=ComponentType.APPLICATION,
        bom_ref="kit",
        version=f"{kit.whichlever}+{digest[:16]}",
        description=f"For Python {kit.python} on {kit.platform}: {', '.join(kit.extras)}.",
    )
    bom.metadata.component = whole
    packages = {p.name: _package(p) for p in kit.packages}
    models = [*_weights(kit), *_bundles(kit)]
    for component in (*packages.values(), *models):
        bom.components.add(component)
    bom.register_dependency(whole, [packages["whichlever"], packages["pip"], *models])
    for name, component in packages.items():
        bom.register_dependency(component, [packages[need] for need in needs.get(name, ())])
    written: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    written["metadata"].pop("timestamp", None)
    return as_json(written)


def _package(package: Package) -> Component:
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    purl = PackageURL("pypi", None, package.name, package.version)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        hashes=sha256_hash(package.sha256),
        licenses=licences_of(package.licence),
        properties=[
            Property(name="whichlever:wheel", value=package.wheel),
            Property(name="whichlever:origin", value=package.origin),
        ],
    )


def _weights(kit: Kit) -> Iterable[Component]:
    from cyclonedx.model.component import Component, ComponentType

    for one in kit.weights:
        yield Component(
            name=one.name,
            type=ComponentType.MACHINE_LEARNING_MODEL,
            bom_ref=f"weights-{one.name}",
            description=f"Weights to start from ({one.source}).",
            hashes=sha256_hash(one.sha256),
            licenses=licences_of(one.licence),
        )


def _bundles(kit: Kit) -> Iterable[Component]:
    from cyclonedx.model.component import Component, ComponentType

    for one in kit.bundles:
        yield Component(
            name=one.file,
            type=ComponentType.MACHINE_LEARNING_MODEL,
            bom_ref=f"bundle-{one.file}",
            description=f"{one.task}: {one.lever}. Its own bill of materials is inside it.",
            hashes=sha256_hash(one.sha256),
        )
