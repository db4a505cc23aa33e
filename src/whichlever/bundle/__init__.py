"""The owned artefact: one file with weights, evidence, card, bill of materials and signature."""

from whichlever.bundle.format import Manifest
from whichlever.bundle.opened import Opened, open_bundle

__all__ = ["Manifest", "Opened", "open_bundle"]
