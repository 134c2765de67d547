"""A llama.cpp batch whose arrays are numpy memory, so that a step is filled by slices instead of a call a token."""

import ctypes

import numpy as np

from gateway.engine.bindings import C


class Batch:
    """Room for `size` tokens. `handle` is what llama_decode takes; set `handle.n_tokens` after filling."""

    def __init__(self, size: int) -> None:
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
