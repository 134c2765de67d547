"""The trained network as a file for ONNX Runtime, its large matrices in 8 bits.

Of these 7 are used: CPUs without VNNI add products in 16 bits, and have no room for more. Activations are quantised as
they come, for each run. Attention and normalisation are ONNX Runtime's fused operators.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from gateway.privacy.sensitivity.kinds import CLEAN, SENSITIVE
from gateway.privacy.sensitivity.train.network import HEADS, LAYERS, LOOKS

_FUSED = "com.microsoft"
_LARGEST = 63
_EPSILON = 1e-12


def graph_of(weights: Mapping[str, Any]) -> ModelProto:
    """Return the model. Inputs: `embeddings` (b, l, 384) float32, `lengths` (b,) int32, `windows` (b, w, l) float32."""
    return _Graph(weights).model()


def quantised(matrix: Any) -> tuple[Any, Any]:
    """Return a matrix (inputs, outputs) as int8, and a scale for each output."""
    scales = np.maximum(np.abs(matrix).max(axis=0), 1e-8) / _LARGEST
    return np.clip(np.rint(matrix / scales), -_LARGEST, _LARGEST).astype(np.int8), scales.astype(np.float32)


class _Graph:
    def __init__(self, weights: Mapping[str, Any]) -> None:
        self._weights = weights
        self._constants: list[TensorProto] = []
        self._nodes: list[NodeProto] = []

    def model(self) -> ModelProto:
        """Return the whole model."""
        x = self._encoder()
        self._nodes.append(helper.make_node("Identity", [self._head(x)], ["logits"]))
        kind = TensorProto.FLOAT
        inputs = [
            helper.make_tensor_value_info("embeddings", kind, ["b", "l", 384]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["b"]),
            helper.make_tensor_value_info("windows", kind, ["b", "w", "l"]),
        ]
        outputs = [helper.make_tensor_value_info("logits", kind, ["b", "w", len(SENSITIVE) + len(CLEAN)])]
        graph = helper.make_graph(self._nodes, "sensitivity", inputs, outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(_FUSED, 1)])
        model.ir_version = 9
        return model

    def _encoder(self) -> str:
        weights = self._weights
        one, two = self._whole(1), self._whole(2)
        length = self._op("Slice", [self._op("Shape", ["embeddings"]), one, two])
        places = self._op("Slice", [self._constant(weights["pos"][None]), self._whole(0), length, one])
        x = self._op("Add", ["embeddings", places])
        x = self._op("LayerNormalization", [x, *self._parts("ln")], axis=-1, epsilon=_EPSILON)
        for number in range(LAYERS):
            x = self._layer(x, f"layers.{number}.")
        return x

    def _layer(self, x: str, name: str) -> str:
        matrix, scales = quantised(self._weights[f"{name}qkv.weight"].T)
        values, scale, zero = self._ops("DynamicQuantizeLinear", [x], 3)
        bias = self._constant(self._weights[f"{name}qkv.bias"])
        seen = self._op(
            "QAttention",
            [values, self._constant(matrix), bias, scale, self._constant(scales), "lengths", zero, self._zeros(scales)],
            _FUSED, num_heads=HEADS, unidirectional=0,
        )  # fmt: skip
        x = self._joined(x, self._product(seen, f"{name}o"), f"{name}n1")
        inner = self._op("Gelu", [self._product(x, f"{name}f1")], _FUSED)
        return self._joined(x, self._product(inner, f"{name}f2"), f"{name}n2")

    def _head(self, x: str) -> str:
        weights = self._op("Exp", [self._op("Clip", [self._linear(x, "q"), self._number(-8), self._number(8)])])
        weights = self._op("Unsqueeze", [self._op("Transpose", [weights], perm=[0, 2, 1]), self._whole(2)])
        values = self._op("Gelu", [self._linear(x, "v")], _FUSED)
        values = self._op("Reshape", [values, self._whole(0, 0, LOOKS, -1)])
        values = self._op("Transpose", [values], perm=[0, 2, 1, 3])
        looks = self._op("Mul", [self._op("Unsqueeze", ["windows", self._whole(1)]), weights])
        sums = self._op("ReduceSum", [looks, self._whole(3)], keepdims=1)
        looked = self._op("Div", [self._op("MatMul", [looks, values]), self._op("Add", [sums, self._number(1e-6)])])
        looked = self._op("Reshape", [self._op("Transpose", [looked], perm=[0, 2, 1, 3]), self._whole(0, 0, -1)])
        counts = self._op("ReduceSum", ["windows", self._whole(2)], keepdims=1)
        mean = self._op("Div", [self._op("MatMul", ["windows", x]), self._op("Add", [counts, self._number(1e-6)])])
        both = self._op("Concat", [looked, mean], axis=2)
        return self._linear(self._op("Gelu", [self._linear(both, "h")], _FUSED), "out")

    def _product(self, x: str, name: str) -> str:
        """Return x times an 8-bit matrix, and its bias."""
        matrix, scales = quantised(self._weights[f"{name}.weight"].T)
        inputs = [x, self._constant(matrix), self._constant(scales), self._zeros(scales)]
        return self._op("DynamicQuantizeMatMul", [*inputs, self._constant(self._weights[f"{name}.bias"])], _FUSED)

    def _linear(self, x: str, name: str) -> str:
        product = self._op("MatMul", [x, self._constant(self._weights[f"{name}.weight"].T)])
        return self._op("Add", [product, self._constant(self._weights[f"{name}.bias"])])

    def _joined(self, x: str, y: str, name: str) -> str:
        return self._op("SkipLayerNormalization", [x, y, *self._parts(name)], _FUSED, epsilon=_EPSILON)

    def _parts(self, name: str) -> list[str]:
        return [self._constant(self._weights[f"{name}.{part}"]) for part in ("weight", "bias")]

    def _zeros(self, scales: Any) -> str:
        return self._constant(np.zeros(len(scales), np.int8))

    def _whole(self, *numbers: int) -> str:
        return self._constant(np.array(numbers, np.int64))

    def _number(self, number: float) -> str:
        return self._constant(np.array(number, np.float32))

    def _constant(self, value: Any) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _op(self, kind: str, inputs: list[str], domain: str = "", **attributes: Any) -> str:
        return self._ops(kind, inputs, 1, domain, **attributes)[0]

    def _ops(self, kind: str, inputs: list[str], outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        names = [f"value_{len(self._nodes)}_{number}" for number in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names
