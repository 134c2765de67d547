"""The two models that come in rapidocr's wheel, each on one core: where lines are, and what one says."""

import functools
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_LINES, _LETTERS = "*_det_*.onnx", "*_rec_*.onnx"


class Model:
    """One model. Input and output are float32."""

    def __init__(self, pattern: str) -> None:
        """Load the weights that are named like `pattern`.

        Raises:
            FileNotFoundError: The package has none.
        """
        path = _weights(pattern)
        onnxruntime: Any = importlib.import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep what the largest picture took
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input: str = self._session.get_inputs()[0].name

    def __call__(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return what the model makes of one picture, whose sides it can take."""
        # The weights want blue first; 0…255 becomes -1…1.
        values = pixels[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1
        return np.asarray(self._session.run(None, {self._input: values})[0], dtype=np.float32)

    @property
    def properties(self) -> dict[str, str]:
        """What is written in the file beside the weights."""
        found: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return found


def _weights(pattern: str) -> Path:
    spec = importlib.util.find_spec("rapidocr")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder, "models").glob(pattern)):
            return path
    raise FileNotFoundError(pattern)


@functools.cache
def of_lines() -> Model:
    """Return the model that finds lines: `(1, 1, height, width)`, how likely each pixel belongs to one."""
    cv2.setNumThreads(1)
    return Model(_LINES)


@functools.cache
def of_letters() -> tuple[Model, tuple[str, ...]]:
    """Return the model that reads a line, `(1, steps, letters)` probabilities, and its letters; the first is none."""
    model = Model(_LETTERS)
    return model, ("", *model.properties["character"].splitlines(), " ")
