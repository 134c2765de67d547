"""A model's vocabulary: text to token ids and back, without its weights.

Both sides use it: the gateway to count and to read answers, the worker to know where answers end. INVARIANT: every id
and length is checked here before C sees it.
"""

import array
import ctypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from gateway.core.errors import BadRequest, ConfigurationError
from gateway.engine.llama.bindings import C, keep_log, log_tail

_PIECE = 256
_MOST_DIFFERENT = 256  # token ids that one of two equal vocabularies may have more: rows that fill up a matrix


class FimTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that frame a text whose middle is to be written (fill in the middle); -1: the model has none."""

    prefix: int
    suffix: int
    middle: int
    repository: int = -1
    separator: int = -1  # between files


class Vocabulary:
    """Vocabulary of one model. `handle` is llama.cpp's; whoever made it keeps its model alive."""

    def __init__(self, handle: "C.llama_vocab_p") -> None:
        self._handle = handle
        self.size: int = C.llama_vocab_n_tokens(handle)
        self.bos: int = C.llama_vocab_bos(handle)
        self.eos: int = C.llama_vocab_eos(handle)
        self.sep: int = C.llama_vocab_sep(handle)
        self.fim = FimTokens(
            prefix=C.llama_vocab_fim_pre(handle),
            suffix=C.llama_vocab_fim_suf(handle),
            middle=C.llama_vocab_fim_mid(handle),
            repository=C.llama_vocab_fim_rep(handle),
            separator=C.llama_vocab_fim_sep(handle),
        )
        self.adds_bos: bool = C.llama_vocab_get_add_bos(handle)
        self.adds_eos: bool = C.llama_vocab_get_add_eos(handle)
        self.adds_sep: bool = C.llama_vocab_get_add_sep(handle)
        self._plain: dict[int, bytes] = {}
        self._special: dict[int, bytes] = {}
        self._buffer = ctypes.create_string_buffer(_PIECE)
        self._controls: dict[str, int] | None = None

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Return the token ids of `text`.

        `add_special`: add the tokens that begin or end a text. `parse_special`: control tokens may stand in the text,
        as in rendered templates.

        Raises:
            BadRequest: the text is too long, or this model can't tokenise it.
        """
        data = text.encode("utf-8", "replace")
        if len(data) > 2**30:
            raise BadRequest("The text is over a gigabyte.", code="request_too_large")
        room = len(data) + 8
        buffer = (C.llama_token * room)()
        count = C.llama_tokenize(self._handle, data, len(data), buffer, room, add_special, parse_special)
        if count < 0:
            raise BadRequest("The text can't be tokenised by this model.")
        ids: list[int] = np.frombuffer(buffer, np.int32, count).tolist()
        return ids

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """Return the bytes of one token; may be part of a character. Control tokens are empty unless `special`."""
        cache = self._special if special else self._plain
        known = cache.get(token)
        if known is None:
            known = cache[token] = self._piece(token, special)
        return known

    def _piece(self, token: int, special: bool) -> bytes:
        if not self.has(token):
            return b""
        count = C.llama_token_to_piece(self._handle, token, self._buffer, len(self._buffer), 0, special)
        if count < 0:
            self._buffer = ctypes.create_string_buffer(-count)
            count = C.llama_token_to_piece(self._handle, token, self._buffer, len(self._buffer), 0, special)
        return self._buffer.raw[:count]

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of `tokens`, with invalid UTF-8 replaced and without control tokens."""
        return b"".join(self.piece(token) for token in tokens).decode("utf-8", "replace")

    def has(self, token: int) -> bool:
        """Say whether this is a token id of this model."""
        return 0 <= token < self.size

    def has_all(self, tokens: "Sequence[int] | array.array[int]") -> bool:
        """Say whether these are all token ids of this model."""
        ids = np.asarray(tokens, np.int64)
        return not len(ids) or bool(ids.min() >= 0 and ids.max() < self.size)

    def is_control(self, token: int) -> bool:
        """Say whether a token steers the model and is no text."""
        return bool(C.llama_vocab_get_attr(self._handle, token) & C.LLAMA_TOKEN_ATTR_CONTROL)

    def controls(self) -> Mapping[str, int]:
        """Return the ids of all control tokens, by their text; the first call takes up to 0.1 s."""
        if self._controls is None:
            ids = [token for token in range(self.size) if self.is_control(token)]
            self._controls = {text: token for token in ids if (text := self._shown(token))}
        return self._controls

    def _shown(self, token: int) -> str:
        return self.piece(token, special=True).decode("utf-8", "ignore")

    def ends(self) -> frozenset[int]:
        """Return the tokens that end an answer."""
        return frozenset(token for token in range(self.size) if C.llama_vocab_is_eog(self._handle, token))

    @property
    def tokenize_pointer(self) -> tuple[int, int]:
        """Addresses of the vocabulary and of llama_tokenize, for libraries that call it themselves."""
        function = ctypes.cast(C._lib.llama_tokenize, ctypes.c_void_p).value
        return int(ctypes.cast(self._handle, ctypes.c_void_p).value or 0), int(function or 0)


@contextmanager
def open_vocabulary(path: Path) -> Iterator[Vocabulary]:
    """Open the vocabulary of a GGUF file that `read_header` accepted; takes 0.1 to 0.3 s. Closed when the block ends.

    Raises:
        ConfigurationError: llama.cpp can't read it.
    """
    keep_log()
    parameters = C.llama_model_default_params()
    parameters.vocab_only = True
    model = C.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise ConfigurationError((f"llama.cpp can't read the vocabulary of {path}: {' '.join(log_tail()[-2:])}",))
    try:
        yield Vocabulary(C.llama_model_get_vocab(model))
    finally:
        C.llama_model_free(model)


def difference(one: Vocabulary, other: Vocabulary) -> str:
    """Explain why the token ids of two models don't mean the same. Empty: they do."""
    if abs(one.size - other.size) > _MOST_DIFFERENT:
        return f"it knows {other.size} tokens, not {one.size}"
    if (one.bos, one.eos) != (other.bos, other.eos):
        return "texts begin or end with other tokens"
    for token in range(min(one.size, other.size)):
        if one.piece(token, special=True) != other.piece(token, special=True):
            return f"token {token} is another one"
    return ""
