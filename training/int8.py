"""8-bit weights: a quarter of the file, and a step in a fraction of the time.

onnxruntime's dynamic quantisation: each large matrix becomes integers with one scale for each of
its output units, and what it is multiplied with is rounded to 8 bits as it comes, by the range of
the call. A step is then limited by arithmetic and no longer by reading 25 MB of weights. What it
costs in perplexity is measured at export; that a window and a step round a little differently is
bounded by a test. The layers run on the CPU only (docs/decisions.md 3).
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic

QUANTISED = ("LSTM", "MatMul", "Gather")
"""The operators whose weights are large: layers, projections, embeddings."""


def weights_to_int8(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Give a copy of the graph with its large weights as int8.

    They use 7 of the 8 bits: a processor without VNNI adds two products in 16 bits, where a sum of
    full ones is cut off. So the integer sums are exact, and the same on every machine.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    with TemporaryDirectory() as folder:
        inferred, rounded = Path(folder) / "inferred.onnx", Path(folder) / "rounded.onnx"
        quant_pre_process(copy, inferred, skip_optimization=True, skip_symbolic_shape=True)
        quantize_dynamic(
            inferred,
            rounded,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(rounded)
