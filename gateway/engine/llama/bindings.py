"""The one import of `llama_cpp`: its low-level bindings, without the package's high-level API.

`llama_cpp/__init__.py` imports a server's worth of modules (and pickle-based caches) that are not needed here: the
submodule is loaded into a bare package instead, which saves memory and time in every worker. It is loaded when the
first of its names is used, so that a gateway without embedded models needs no llama.cpp at all.
"""

import ctypes
import functools
import importlib
import importlib.util
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _load() -> types.ModuleType:
    """Load the bindings, and with them llama.cpp.

    Raises:
        ImportError: They are not installed, or one of the libraries that they need is missing.
    """
    if "llama_cpp" not in sys.modules:
        spec = importlib.util.find_spec("llama_cpp")
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("llama-cpp-python is not installed: run 'aduana engine install'")
        package = types.ModuleType("llama_cpp")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules["llama_cpp"] = package
    loaded: set[str] = set()
    while True:
        try:
            return importlib.import_module("llama_cpp.llama_cpp")
        except RuntimeError as error:  # llama_cpp's own, with the loader's words
            missing = re.search(r"(lib[\w.+-]+): cannot open shared object file", str(error))
            if missing is None or missing[1] in loaded or not _load_from_packages(missing[1]):
                raise ImportError(f"llama.cpp can't be loaded: {error}") from error
            loaded.add(missing[1])


def _load_from_packages(name: str) -> bool:
    """Load a library of NVIDIA's Python packages, so that it is there for whoever needs it. False: none has it.

    Wheels with CUDA leave cuBLAS and the runtime to the system or to these packages, which no loader searches.
    """
    spec = importlib.util.find_spec("nvidia")
    for place in spec.submodule_search_locations or () if spec is not None else ():
        for file in Path(place).glob(f"*/lib/{name}"):
            ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
            return True
    return False


class _Bindings:
    """The names of `llama_cpp.llama_cpp`; the first look-up loads it, and later ones cost what a module's do."""

    def __getattr__(self, name: str) -> Any:
        self.__dict__.update(vars(_load()))
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"llama_cpp.llama_cpp has no {name}") from None


C: Any = _Bindings()  # untyped: the bindings' annotations name arrays where C wants pointers

__all__ = [
    "Batch", "C", "keep_log", "log_tail", "logits_address", "logits_of", "multimodal", "next_token_states",
    "pointer_to",
]  # fmt: skip


@functools.cache
def _get_logits() -> Any:
    # Indexing makes a function of its own, so that the bindings' prototype stays as it is.
    function = C._lib["llama_get_logits"]
    function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
    return function


def logits_address(context: Any) -> Any:
    """Return llama_get_logits as a plain number: a pointer object for every step is dear."""
    return _get_logits()(context)


_LINES = 40
_tail: list[str] = []


def _on_log(level: int, text: bytes | None, _data: object) -> None:
    # Levels (ggml.h): 2 info, 3 warning, 4 error, 5 continuation of the line before.
    if level >= 3 and text and text.strip(b" .\n"):
        _tail.append(text.decode("utf-8", "replace").rstrip())
        del _tail[:-_LINES]


@functools.cache  # C keeps only the pointer, so it must live as long as the process
def _callback() -> Any:
    return C.llama_log_callback(_on_log)


def keep_log() -> None:
    """Send llama.cpp's warnings and errors to `log_tail` instead of stderr."""
    C.llama_log_set(_callback(), None)


def multimodal() -> Any:
    """Return the bindings of mtmd, llama.cpp's library for pictures and sound; its log goes to `log_tail` as well."""
    _load()
    bindings = importlib.import_module("llama_cpp.mtmd_cpp")
    bindings.mtmd_helper_log_set(_callback(), None)
    return bindings


def log_tail() -> tuple[str, ...]:
    """Return the last warnings and errors that llama.cpp logged."""
    return tuple(_tail)


def pointer_to(state: NDArray[np.uint8]) -> Any:
    """Return the address of bytes, as functions of llama.cpp take it."""
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


def logits_of(context: Any, outputs: int, vocabulary: int) -> NDArray[np.float32]:
    """Return the logits of the last computation, `(outputs, vocabulary)`: llama.cpp's own memory, for reading."""
    pointer = ctypes.cast(logits_address(context), ctypes.POINTER(ctypes.c_float))
    return np.ctypeslib.as_array(pointer, (outputs, vocabulary))


def next_token_states(context: Any, width: int) -> Callable[[int], NDArray[np.float32]]:
    """Let a context give the hidden states that a draft head reads, of every token.

    Returns a function of the number of tokens in the last computation, which returns them, `(number, width)` float32:
    llama.cpp's own memory, for reading. None of them: this build of llama.cpp gives none.
    """
    try:
        extension = importlib.import_module("llama_cpp.llama_cpp_ext")
        read = extension.llama_get_embeddings_nextn
        extension.llama_set_embeddings_nextn(context, True, False)
    except (ImportError, AttributeError):  # functions that llama.cpp does not promise to keep
        return lambda number: np.empty((0, width), np.float32)

    def states(number: int) -> NDArray[np.float32]:
        pointer = read(context)
        return np.ctypeslib.as_array(pointer, (number, width)) if pointer else np.empty((0, width), np.float32)

    return states


class Batch:
    """Batch of llama.cpp with room for `size` tokens, whose arrays are numpy memory of shape `(size,)`.

    A step is filled by slices instead of a call a token. `handle` is what llama_decode takes; set `handle.n_tokens`
    after filling. `states`, `(size, width)` float32: a hidden state for each token, where a draft head reads them.
    """

    def __init__(self, size: int, width: int = 0) -> None:
        self.size = size
        self.tokens = np.zeros(size, np.int32)
        self.positions = np.zeros(size, np.int32)
        self.slots = np.zeros(size, np.int32)
        self.outputs = np.zeros(size, np.int8)
        self._ones = np.ones(size, np.int32)  # each token belongs to one sequence
        addresses = self.slots.ctypes.data + self.slots.itemsize * np.arange(size)
        self._slot_pointers = addresses.astype(np.uintp)
        self.handle = C.llama_batch()
        self.handle.token = self.tokens.ctypes.data_as(ctypes.POINTER(C.llama_token))
        self.handle.pos = self.positions.ctypes.data_as(ctypes.POINTER(C.llama_pos))
        self.handle.n_seq_id = self._ones.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        self.handle.seq_id = self._slot_pointers.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(C.llama_seq_id)))
        self.handle.logits = self.outputs.ctypes.data_as(ctypes.POINTER(ctypes.c_int8))
        self.states = np.zeros((size, width), np.float32)
        if width:
            self.handle.embd = self.states.ctypes.data_as(ctypes.POINTER(ctypes.c_float))

    def of_embeddings(self, slot: int, embeddings: Any, positions: Any) -> Any:
        """Return a batch of embeddings of one sequence, none of which gets logits; to be used before the next call.

        Args:
            slot: the sequence.
            embeddings: `(tokens, n_embd)` float32.
            positions: `(dimensions, tokens)` int32; llama.cpp wants four dimensions with M-RoPE.
        """
        count = len(embeddings)
        self._embeddings = np.ascontiguousarray(embeddings, np.float32)
        self._places = np.ascontiguousarray(positions, np.int32)
        self.slots[:count], self.outputs[:count] = slot, 0
        batch = C.llama_batch()
        batch.n_tokens = count
        batch.embd = self._embeddings.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        batch.pos = self._places.ctypes.data_as(ctypes.POINTER(C.llama_pos))
        batch.n_seq_id, batch.seq_id, batch.logits = self.handle.n_seq_id, self.handle.seq_id, self.handle.logits
        return batch
