"""Projector of a model that sees or hears (llama.cpp's mtmd): pictures and sounds become embeddings for its prompt.

`measure` only counts, and may run beside anything; everything else belongs to one thread. mtmd's API:
tools/mtmd/mtmd.h of llama.cpp, which calls it experimental.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.engine.llama.bindings import C, keep_log, log_tail, multimodal
from gateway.engine.llama.faults import LoadFault
from gateway.engine.llama.model import Model, can_use_gpu
from gateway.engine.media import Piece
from gateway.engine.messages import pack_tokens

Floats = NDArray[np.float32]
_DIMENSIONS = 4  # of a position with M-RoPE: time, row, column, reserved
_FLASH = {"auto": -1, "on": 1, "off": 0}


class MediaFault(Exception):
    """Fault of a picture or sound; the message is the end of a sentence about it, for the client."""


class EncodedPart(msgspec.Struct, frozen=True, kw_only=True):
    """Embeddings of one part of a picture or sound.

    `embeddings`: `(tokens, n_embd)` float32. `places`: where they stand, `(dimensions, tokens)` int32, one dimension
    but for M-RoPE; `moves` of the same shape: 1 where a place counts from the part's own position, 0 where it is fixed.
    """

    embeddings: Floats
    places: NDArray[np.int32]
    moves: NDArray[np.int32]
    positions: int
    causal: bool = True  # False: its tokens see each other, and must be computed at once

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return self.embeddings.nbytes + self.places.nbytes + self.moves.nbytes


class Projector:
    """Weights that turn pictures or sounds into embeddings of one text model."""

    def __init__(self, model: Model, threads: int) -> None:
        """Load the file that the model's settings name.

        Raises:
            LoadFault: llama.cpp can't use it, or not with this model.
        """
        keep_log()
        self._mtmd = mtmd = multimodal()
        settings = model.settings
        parameters = mtmd.mtmd_context_params_default()
        parameters.use_gpu = settings.mmproj_offload and settings.gpu_layers != 0 and can_use_gpu()
        parameters.print_timings = False
        parameters.n_threads = settings.threads_batch or threads
        parameters.flash_attn_type = _FLASH[settings.flash_attention]
        if settings.image_max_tokens:
            parameters.image_max_tokens = settings.image_max_tokens
        self._handle = mtmd.mtmd_init_from_file(settings.mmproj.encode(), model.handle, parameters)
        if not self._handle:
            raise LoadFault(_load_problem(model), public="Its projector for pictures or sound can't be loaded.")
        self.sees = bool(mtmd.mtmd_support_vision(self._handle))
        self.hears = bool(mtmd.mtmd_support_audio(self._handle))
        self.rotates = bool(mtmd.mtmd_decode_use_mrope(self._handle))
        self._width = int(C.llama_model_n_embd_inp(model.handle))
        self.token_bytes = self._width * ctypes.sizeof(ctypes.c_float)  # of the embedding of one token
        self._most_at_once = settings.micro_batch_size
        self._marker: bytes = mtmd.mtmd_get_marker(self._handle)

    def measure_picture(self, width: int, height: int) -> list[Piece]:
        """Return what stands in a prompt for a picture of this size.

        Raises:
            MediaFault: the model sees no pictures, or can't take this one.
        """
        if not self.sees:
            raise MediaFault("can't be seen by this model")
        with self._chunks(self._mtmd.mtmd_bitmap_init(width, height, None)) as chunks:
            return self._pieces(chunks)

    def encode_picture(self, pixels: NDArray[np.uint8]) -> list[EncodedPart]:
        """Compute the embeddings of a picture, `(height, width, 3)` uint8 RGB.

        Raises:
            MediaFault: llama.cpp can't.
        """
        height, width = pixels.shape[:2]
        pointer = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        with self._chunks(self._mtmd.mtmd_bitmap_init(width, height, pointer)) as chunks:
            return self._encoded(chunks)

    def encode_sound(self, data: bytes) -> tuple[list[Piece], list[EncodedPart]]:
        """Compute the embeddings of a recording, WAV or MP3, and what stands in a prompt for it.

        Raises:
            MediaFault: the model hears nothing, or the recording can't be read.
        """
        if not self.hears:
            raise MediaFault("can't be heard by this model")
        pointer = ctypes.cast(ctypes.c_char_p(data), ctypes.POINTER(ctypes.c_uint8))  # it only reads
        with self._chunks(
            self._mtmd.mtmd_helper_bitmap_init_from_buf(self._handle, pointer, len(data), False)
        ) as chunks:
            return self._pieces(chunks), self._encoded(chunks)

    @contextmanager
    def _chunks(self, bitmap: Any) -> Iterator[list[Any]]:
        """Cut a bitmap into chunks, mtmd's word for pieces of a prompt; frees both.

        Raises:
            MediaFault: it can't be cut, or there is no memory for what comes of it.
        """
        mtmd = self._mtmd
        if not bitmap:
            raise MediaFault("is damaged or incomplete")
        found = mtmd.mtmd_input_chunks_init()
        try:
            text = mtmd.mtmd_input_text(self._marker, len(self._marker), False, True)
            given = (ctypes.c_void_p * 1)(bitmap)
            if mtmd.mtmd_tokenize(self._handle, found, ctypes.byref(text), given, 1) != 0:
                raise MediaFault("can't be prepared for this model: it may be too small, too large or too narrow")
            yield [mtmd.mtmd_input_chunks_get(found, at) for at in range(mtmd.mtmd_input_chunks_size(found))]
        except MemoryError as error:
            raise MediaFault("takes more memory than there is: send a smaller one") from error
        finally:
            mtmd.mtmd_input_chunks_free(found)
            mtmd.mtmd_bitmap_free(bitmap)

    def _pieces(self, chunks: list[Any]) -> list[Piece]:
        return [piece for piece in map(self._piece, chunks) if piece is not None]

    def _piece(self, chunk: Any) -> Piece | None:
        """Return what stands in a prompt for a chunk; None: nothing does.

        Raises:
            MediaFault: this model can't compute it.
        """
        mtmd = self._mtmd
        if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
            count = ctypes.c_size_t()
            ids = mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
            text = [ids[at] for at in range(count.value)]
            if not text:
                return None
            if min(text) < 0:
                raise MediaFault("can't be taken: the projector wants tokens that this model does not have")
            return Piece(text=pack_tokens(text))
        tokens = int(mtmd.mtmd_input_chunk_get_n_tokens(chunk))
        if tokens > self._most_at_once and mtmd.mtmd_decode_use_non_causal(self._handle, chunk):
            raise MediaFault(
                f"takes {tokens} tokens, which this model computes at once; 'batch' here allows {self._most_at_once}"
            )
        return Piece(tokens=tokens, positions=int(mtmd.mtmd_input_chunk_get_n_pos(chunk)))

    def _encoded(self, chunks: list[Any]) -> list[EncodedPart]:
        mtmd = self._mtmd
        return [
            self._encode(chunk)
            for chunk in chunks
            if mtmd.mtmd_input_chunk_get_type(chunk) != mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT
        ]

    def _encode(self, chunk: Any) -> EncodedPart:
        mtmd = self._mtmd
        if mtmd.mtmd_encode_chunk(self._handle, chunk) != 0:
            raise MediaFault("can't be encoded")
        tokens = int(mtmd.mtmd_input_chunk_get_n_tokens(chunk))
        pointer = mtmd.mtmd_get_output_embd(self._handle)
        if not pointer:
            raise MediaFault("can't be encoded: the projector gave nothing")
        embeddings = np.ctypeslib.as_array(pointer, (tokens, self._width)).copy()
        if not np.isfinite(embeddings).all():
            raise MediaFault("can't be encoded: the projector gave no numbers")
        first, second = self._places(chunk, 0, tokens), self._places(chunk, 1, tokens)
        return EncodedPart(
            embeddings=embeddings,
            places=first,
            moves=second - first,
            positions=int(mtmd.mtmd_input_chunk_get_n_pos(chunk)),
            causal=not mtmd.mtmd_decode_use_non_causal(self._handle, chunk),
        )

    def _places(self, chunk: Any, start: int, tokens: int) -> NDArray[np.int32]:
        """Return where the tokens of a part stand that begins at position `start`, `(dimensions, tokens)` int32."""
        counted = np.arange(start, start + tokens, dtype=np.int32)
        if not self.rotates:
            return counted[None]
        seen = self._mtmd.mtmd_input_chunk_get_tokens_image(chunk)
        if not seen:  # a sound
            return np.repeat(counted[None], _DIMENSIONS, axis=0)
        found = (self._mtmd.mtmd_decoder_pos * tokens)()
        self._mtmd.mtmd_helper_image_get_decoder_pos(seen, start, found)
        return np.array([[one.t, one.y, one.x, one.z] for one in found], np.int32).T


def _load_problem(model: Model) -> str:
    settings = model.settings
    said = " ".join(log_tail()[-3:]) or "it gave no reason."
    return (
        f"llama.cpp can't use the projector {settings.mmproj} ('mmproj') with {settings.model}: {said} Use the "
        "mmproj file that was published together with this very model."
    )
