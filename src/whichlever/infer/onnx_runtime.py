"""onnxruntime, told to keep to itself before it is loaded.

From 1.32 on its wheels for Linux and macOS report to their maker: an identifier of the machine
and a store in the home folder, and an upload for each process. Native code asks no audit hook, so
it must not begin: it reads these variables once, when it is first loaded.
"""

from __future__ import annotations

import os
from typing import Any

SILENCE = {"ORT_DISABLE_TELEMETRY": "1", "ORT_TELEMETRY_DISABLED": "1"}
"""The name that 1.32 reads, and the one that its successors do."""


def onnxruntime() -> Any:  # noqa: ANN401 - a package without types
    """The package, silenced; ImportError where it is not installed."""
    os.environ.update(SILENCE)
    import onnxruntime as found

    # Where somebody else has loaded it before, this is what is left to say.
    found.disable_telemetry_events()
    return found
