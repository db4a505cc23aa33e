"""An encoder as one ONNX file, checked against torch before it is used."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from whichlever.errors import CheckFailed
from whichlever.infer.encoder_text import Ints, padded
from whichlever.infer.onnx_runtime import onnxruntime
from whichlever.models.encoder_net import Classifier

OPSET = 20
TOLERANCE = 1e-4
"""Largest difference from torch's logits that is accepted."""


def export(net: Classifier, examples: Sequence[Ints], path: Path) -> float:
    """Write ``path`` (aside, then renamed) and compare it with torch on ``examples``.

    Returns
    -------
    float
        The largest absolute difference between its logits and torch's.

    Raises
    ------
    CheckFailed
        They differ by more than `TOLERANCE`.
    """
    net.eval()
    sample = [torch.from_numpy(a) for a in padded([*examples[:3], np.arange(1, 8)])]
    rows, tokens = torch.export.Dim.DYNAMIC, torch.export.Dim.DYNAMIC
    with tempfile.TemporaryDirectory(dir=path.parent) as aside, warnings.catch_warnings():
        # The exporter's own deprecations and missing optional parts are not the user's.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        file = Path(aside) / path.name
        with torch.inference_mode(False), torch.no_grad():
            program = torch.onnx.export(
                net,
                tuple(sample),
                dynamo=True,
                opset_version=OPSET,
                input_names=["input_ids", "attention_mask"],
                output_names=["logits"],
                dynamic_shapes=({0: rows, 1: tokens}, {0: rows, 1: tokens}),
                verbose=False,
            )
        program.save(str(file), external_data=False)
        worst = difference(net, file, examples)
        if not worst <= TOLERANCE:
            raise CheckFailed(
                f"{path.name}: its answers differ from torch's by {worst:.2g} (limit {TOLERANCE}); "
                "please report this with the versions of torch, onnxscript and onnxruntime"
            )
        file.replace(path)
    return worst


def difference(net: Classifier, file: Path, examples: Sequence[Ints]) -> float:
    """Largest absolute difference of logits between an ONNX file and torch, in small batches."""
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    worst = 0.0
    with torch.inference_mode():
        for begin in range(0, len(examples), 8):
            ids, mask = padded(examples[begin : begin + 8])
            (theirs,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
            ours = net(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
            worst = max(worst, float(np.abs(ours - theirs).max()))
    return worst
