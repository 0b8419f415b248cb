"""From a training checkpoint to the file that ships: ONNX with int8 weights, one scale a channel."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import BertForQuestionAnswering

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUTS = ["start_logits", "end_logits"]


def export(model: BertForQuestionAnswering, path: Path) -> None:
    """Write `model` as int8 ONNX. Inputs (batch, length) int64, outputs (batch, length) float32 logits.

    Only the weights are int8 in the file; activations are scaled at run time, per tensor (dynamic quantisation).
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> tuple[torch.Tensor, ...]:
            out = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types)
            return out.start_logits, out.end_logits

    model.float().eval()
    ids = torch.ones(1, 8, dtype=torch.long)
    axes = {name: {0: "batch", 1: "length"} for name in INPUTS + OUTPUTS}
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "float.onnx"
        with warnings.catch_warnings():  # the newer exporter needs another package and writes the same network
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Logits(),
                (ids, ids, ids * 0),
                str(full),
                input_names=INPUTS,
                output_names=OUTPUTS,
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
            )
        written = path.with_suffix(".new")
        quantize_dynamic(full, written, weight_type=QuantType.QInt8, per_channel=True)
        written.replace(path)
