"""From a training checkpoint to the file that ships: ONNX with int8 weights, one scale a channel."""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from onnx import GraphProto
    from transformers import PreTrainedModel

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
SPANS = ["start_logits", "end_logits"]
CLASSES = ["logits"]
FEED_FORWARD = re.compile(r"/(?:intermediate|layer\.\d+/output)/dense/")
QUANTISED = ("_quantized", "_scale", "_zero_point")


def average(checkpoints: Sequence[Path]) -> PreTrainedModel:
    """The network whose every weight is the mean of theirs. Raises `ValueError` where they are not of one shape."""
    import transformers

    kinds = [
        json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"] for folder in checkpoints
    ]
    if any(kind != kinds[0] for kind in kinds):
        raise ValueError("these checkpoints are not of one shape")
    network = getattr(transformers, kinds[0][0])
    # Without "eager" the exported attention looks for rows that are masked altogether: a third more time for nothing.
    models = [network.from_pretrained(f, attn_implementation="eager", dtype=torch.float32) for f in checkpoints]
    first, *others = (model.state_dict() for model in models)
    for other in others:
        if {k: v.shape for k, v in other.items()} != {k: v.shape for k, v in first.items()}:
            raise ValueError("these checkpoints are not of one shape")
    mean = {name: torch.stack([first[name], *(o[name] for o in others)]).mean(0) for name in first}
    models[0].load_state_dict(mean)
    return models[0]


def export(model: PreTrainedModel, path: Path) -> None:
    """Write `model` as int8 ONNX. Inputs (batch, length) int64; outputs float32.

    A reader gives two logits a word piece, (batch, length), a classifier one a class, (batch, classes).

    Only the weights are int8 in the file; activations are scaled at run time, per tensor (dynamic quantisation), those
    of the feed-forward blocks row by row before that.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> tuple[torch.Tensor, ...]:
            out = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types)
            return tuple(out[name] for name in outputs)

    outputs = CLASSES if type(model).__name__.endswith("ForSequenceClassification") else SPANS
    model.float().eval()
    ids = torch.ones(1, 8, dtype=torch.long)
    axes = {name: {0: "batch", 1: "length"} for name in INPUTS}
    axes |= {name: {0: "batch", 1: "length"} if outputs == SPANS else {0: "batch"} for name in outputs}
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "float.onnx"
        with warnings.catch_warnings():  # the newer exporter needs another package and writes the same network
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Logits(),
                (ids, ids, ids * 0),
                str(full),
                input_names=INPUTS,
                output_names=list(outputs),
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
            )
        graph = onnx.load(full)
        _scale_rows(graph.graph)
        onnx.save(graph, full)
        written = path.with_suffix(".new")
        quantize_dynamic(full, written, weight_type=QuantType.QInt8, per_channel=True)
        written.replace(path)


def _scale_rows(graph: GraphProto) -> None:
    """Divide each row that goes into a feed-forward matrix by its largest magnitude, and multiply what comes out by it.

    Dynamic quantisation has one scale for the activations of all word pieces, and [CLS] has values up to eight times as
    large as any other piece's: it leaves them few steps. These matrices make most of the difference to float32.
    """
    from onnx import helper

    nodes = []
    for node in graph.node:
        if node.op_type != "MatMul" or not FEED_FORWARD.search(node.name):
            nodes.append(node)
            continue
        rows, product = node.input[0], node.output[0]
        large, scaled, unscaled = (f"{node.name}/{part}" for part in ("largest", "scaled", "unscaled"))
        node.input[0], node.output[0] = scaled, unscaled
        nodes += [
            helper.make_node("Abs", [rows], [f"{large}/of"], name=f"{large}/Abs"),
            helper.make_node("ReduceMax", [f"{large}/of"], [large], name=f"{large}/ReduceMax", axes=[-1], keepdims=1),
            helper.make_node("Div", [rows, large], [scaled], name=f"{scaled}/Div"),
            node,
            helper.make_node("Mul", [unscaled, large], [product], name=f"{unscaled}/Mul"),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def restore(path: Path) -> dict[str, torch.Tensor]:
    """The weights that `export` wrote, as float32 by their names in the network: what a run can go on from.

    They are those of the checkpoint up to the steps of int8. Raises `ValueError` for any other kind of file.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    weights = {n.removeprefix("model."): torch.tensor(stored[n]) for n in stored if n.startswith("model.")}
    weights = {name: value for name, value in weights.items() if not name.endswith(QUANTISED)}
    for node in graph.node:
        quantised = next((name for name in node.input if name in stored and name.endswith("_quantized")), None)
        if quantised is None:
            continue
        name = quantised.removesuffix("_quantized")
        zero, scale = stored[f"{name}_zero_point"], stored[f"{name}_scale"]
        value = (stored[quantised].astype("float32") - zero.astype("float32")) * scale
        if node.op_type == "MatMulInteger":  # the name of a folded matrix is a number; its node keeps the module's
            module = node.name.removeprefix("/model/").rpartition("/")[0].replace("/", ".")
            weights[f"{module}.weight"] = torch.tensor(value.T)
        else:
            weights[name.removeprefix("model.")] = torch.tensor(value)
    if not {"qa_outputs.weight", "classifier.weight"} & weights.keys():
        raise ValueError(f"{path} was not written by this project's export")
    return weights
