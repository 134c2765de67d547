"""The model in a worker process: texts in, word pieces with labels out. The only user of onnxruntime and tokenizers."""

import importlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.late_module import late_module
from gateway.ner.weights import folder

np: Any = late_module("numpy")  # only a search for names that is on computes, in its own process

Piece = tuple[int, int, str, float]  # start and end in the text, label without B- and I-, probability

_WINDOW, _OVERLAP = 480, 64  # characters: the context in which this model is best
_MOST_TOKENS = 512
_TOGETHER = 4  # windows of about equal length in one run
_SURE = 0.5  # probability from which a piece counts
_LOOK_SECONDS = 2.0


class Recogniser:
    """The model in this process, on so many threads."""

    def __init__(self, weights: Path, threads: int) -> None:
        from tokenizers import Tokenizer

        onnxruntime: Any = importlib.import_module("onnxruntime")
        files = folder()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = Tokenizer.from_file(str(files / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        names = json.loads((files / "config.json").read_text())["id2label"]
        self._kinds = [names[str(number)].partition("-")[2] for number in range(len(names))]

    def recognise(self, texts: Sequence[str]) -> list[list[Piece]]:
        """Return the pieces of each text that are part of an entity."""
        passages = [(number, at, passage) for number, text in enumerate(texts) for at, passage in windows(text)]
        encoded = [(number, at, one) for number, at, passage in passages for one in self._encode(passage)]
        encoded.sort(key=lambda item: len(item[2].ids))
        found: list[list[Piece]] = [[] for _ in texts]
        for first in range(0, len(encoded), _TOGETHER):
            some = encoded[first : first + _TOGETHER]
            for (number, at, one), likely in zip(some, self._run([one.ids for _, _, one in some]), strict=True):
                found[number] += self._pieces(one, likely, at)
        return found

    def _encode(self, text: str) -> list[Any]:
        """Return one encoding, or several where a window has too many tokens: some characters are many tokens each."""
        whole = self._tokenizer.encode(text)
        if len(whole.ids) <= _MOST_TOKENS:
            return [whole]
        whole.truncate(_MOST_TOKENS, stride=_OVERLAP)
        return [whole, *whole.overflowing]

    def _run(self, rows: list[list[int]]) -> list[Any]:
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        logits = self._session.run(None, inputs)[0]
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        likely = raised / raised.sum(axis=-1, keepdims=True)
        return [likely[number, : len(row)] for number, row in enumerate(rows)]

    def _pieces(self, encoded: Any, likely: Any, at: int) -> list[Piece]:
        best = likely.argmax(axis=1)
        pieces: list[Piece] = []
        for place in np.flatnonzero(best):
            start, end = encoded.offsets[place]
            probability = float(likely[place, best[place]])
            if end > start and probability >= _SURE:
                pieces.append((at + start, at + end, self._kinds[best[place]], probability))
        return pieces


def windows(text: str) -> Iterator[tuple[int, str]]:
    """Yield the passages in which a text is looked at, each with its place. Those of its beginning stay as it grows."""
    for start in range(0, max(1, len(text) - _OVERLAP), _WINDOW - _OVERLAP):
        yield start, text[start : start + _WINDOW]


_loaded: Recogniser | None = None  # one a process: what a process pool's workers share is their module


def load(weights: Path, threads: int) -> None:
    """Prepare a worker process."""
    global _loaded
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the gateway says when to stop
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _loaded = Recogniser(weights, threads)


def _end_with(parent: int) -> None:
    """End this process when its gateway does: one that was killed leaves no workers behind."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(0)


def recognise(texts: Sequence[str]) -> tuple[list[list[Piece]], float]:
    """Return what `Recogniser.recognise` finds, in a prepared worker, and how many seconds of CPU that took."""
    assert _loaded is not None
    began = time.process_time()
    return _loaded.recognise(texts), time.process_time() - began
