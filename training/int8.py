"""Weights kept as 8-bit integers: a quarter of the file, the same arithmetic.

Each large matrix becomes int8 with one scale for each of its output units, followed by a
``DequantizeLinear`` that onnxruntime folds away when it loads the file. So what runs is plain
float32 on any device, a window and a step agree as they did before, and only the rounding of the
weights is lost. (Dynamic quantisation would also round the activations, by the range of whatever
was in the same call; docs/decisions.md has both measured.)
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

SMALLEST_MATRIX = 4096
"""Weights with fewer elements stay as they are: they are biases, and cheap."""


def weights_to_int8(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Give a copy of the graph with its large weights as int8."""
    result = onnx.ModelProto()
    result.CopyFrom(graph)
    kept, nodes = [], []
    for tensor in result.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST_MATRIX or values.ndim < 2:
            kept.append(tensor)
            continue
        small, node = _quantised(tensor.name, values)
        kept += small
        nodes.append(node)
    del result.graph.initializer[:]
    result.graph.initializer.extend(kept)
    every = [*nodes, *result.graph.node]
    del result.graph.node[:]
    result.graph.node.extend(every)
    onnx.checker.check_model(result)
    return result


def _quantised(
    name: str, values: npt.NDArray[Any]
) -> tuple[list[onnx.TensorProto], onnx.NodeProto]:
    """Round to one scale per output unit: the last axis, or an LSTM's [1, 4 x units, inputs]."""
    axis = values.ndim - 2 if values.ndim == 3 else values.ndim - 1
    others = tuple(i for i in range(values.ndim) if i != axis)
    scale = np.abs(values).max(axis=others, keepdims=True) / 127
    scale[scale == 0] = 1
    rounded = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
    tensors = [
        numpy_helper.from_array(rounded, f"{name}_int8"),
        numpy_helper.from_array(scale.reshape(-1).astype(np.float32), f"{name}_scale"),
        numpy_helper.from_array(np.zeros(scale.size, np.int8), f"{name}_zero"),
    ]
    node = helper.make_node(
        "DequantizeLinear", [t.name for t in tensors], [name], name=f"{name}_dequantise", axis=axis
    )
    return tensors, node
