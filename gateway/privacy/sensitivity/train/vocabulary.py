"""The part of the trunk's vocabulary that its languages need, as a SentencePiece model and a table of vectors.

250,000 pieces serve a hundred languages. Kept are those of the commonest words of seven of them (the package
`wordfreq`), of the texts that are trained on, and every single Latin letter, digit and mark.
"""

import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gateway.privacy.sensitivity.train.trunk import Trunk

LANGUAGES = ("es", "en", "pt", "fr", "de", "it", "ca")
MOST = 60_000  # pieces
_WORDS = 100_000  # of each language
_SPECIAL = ("<unk>", "<s>", "</s>")
_LAST_MARK = 0x2600


def write(trunk: Trunk, texts: Iterable[str], folder: Path) -> None:
    """Write `tokens.model` and `embeddings.npy`."""
    kept = _kept(trunk, texts)
    (folder / "tokens.model").write_bytes(_model(trunk, kept))
    named = {piece: number for number, piece in enumerate(trunk.pieces)}
    numbers = [named[piece] for piece in _SPECIAL] + list(kept)
    np.save(folder / "embeddings.npy", trunk.rows()[numbers])


def _kept(trunk: Trunk, texts: Iterable[str]) -> Sequence[int]:
    """Return the numbers of the pieces that are kept, in the order of the whole vocabulary."""
    import wordfreq
    from sentencepiece import SentencePieceProcessor

    everything = SentencePieceProcessor(model_proto=_model(trunk, range(4, len(trunk.pieces))))
    seen: Counter[int] = Counter()
    used: set[int] = set()
    for text in texts:
        used.update(everything.encode(text))
    for language in LANGUAGES:
        for word in wordfreq.top_n_list(language, _WORDS):
            often = wordfreq.word_frequency(word, language)
            for form, share in ((word, 1.0), (word.capitalize(), 0.3)):
                for piece in everything.encode(form):
                    seen[piece] += often * share
    shift = 4 - len(_SPECIAL)
    single = {number for number, piece in enumerate(trunk.pieces) if number > 3 and _is_single(piece)}
    kept = single | {number + shift for number in used if number >= len(_SPECIAL)}
    for number, _ in seen.most_common():
        if len(kept) >= MOST:
            break
        if number >= len(_SPECIAL):
            kept.add(number + shift)
    return sorted(kept)


def _is_single(piece: str) -> bool:
    if len(piece) != 1 or ord(piece) >= _LAST_MARK:
        return False
    return not piece.isalpha() or unicodedata.name(piece, "").startswith("LATIN")


def _model(trunk: Trunk, kept: Sequence[int]) -> bytes:
    """Return a SentencePiece model (unigram) of some pieces."""
    from sentencepiece import SentencePieceTrainer
    from sentencepiece import sentencepiece_model_pb2 as untyped_protocol

    buffer = io.BytesIO()
    SentencePieceTrainer.train(  # of nothing: for its normaliser, the one of the trunk (NFKC as in machine translation)
        sentence_iterator=iter(["a b c"]), model_writer=buffer, vocab_size=8, hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc", minloglevel=2,
    )  # fmt: skip
    protocol: Any = untyped_protocol
    model = protocol.ModelProto()
    model.ParseFromString(buffer.getvalue())
    del model.pieces[:]
    kinds = model.SentencePiece
    for piece, kind in zip(_SPECIAL, (kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL), strict=True):
        model.pieces.add(piece=piece, score=0.0, type=kind)
    for number in kept:
        model.pieces.add(piece=trunk.pieces[number], score=float(trunk.scores[number]), type=kinds.NORMAL)
    model.trainer_spec.vocab_size = len(model.pieces)
    model.trainer_spec.unk_id, model.trainer_spec.bos_id, model.trainer_spec.eos_id = 0, 1, 2
    model.trainer_spec.pad_id = -1
    serialised: bytes = model.SerializeToString()
    return serialised
