"""The sealed kit: wheels, weights, bundles and an installer for a machine with no network."""

from whichlever.seal.check import CheckedKit, check_kit
from whichlever.seal.kit import Sealed, write_kit
from whichlever.seal.plan import ANSWERING, WHOLE, CarriedWeights, SealPlan, plan_kit

__all__ = [
    "ANSWERING", "WHOLE", "CarriedWeights", "CheckedKit", "SealPlan", "Sealed", "check_kit",
    "plan_kit", "write_kit",
]  # fmt: skip
