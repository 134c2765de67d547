"""From scores to probabilities (Platt's scaling), and the probabilities from which a window counts in each mode."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from gateway.privacy.sensitivity.encoder import Encoder
from gateway.privacy.sensitivity.judge import Calibration, doubtful_windows, outweighs
from gateway.privacy.sensitivity.passages import passages
from gateway.privacy.topic_questions import speaks_of_itself

_SHARES = {"balanced": (0.036, 0.006), "strict": (0.2, 0.04)}
"""Share of clean texts that each mode may keep: by windows among their neighbours, and by windows alone besides."""
_STEPS = 60
_NOTHING = -30.0


def calibrate(encoder: Encoder, texts: Sequence[str], sensitive: Any) -> Calibration:
    """Return the calibration that fits texts that were not trained on; sensitive is (n,) bool."""
    read = [[one for one in passages(text, encoder.pieces, speaks_of_itself) if one.windows] for text in texts]
    logits = [encoder.logits(one) for one in read]
    together = np.array([max((float(outweighs(rows).max()) for rows in one), default=_NOTHING) for one in logits])
    scale, shift = _platt(together, sensitive)
    made = Calibration(scale, shift, 0.5, 0.5, 1.0, 1.0)
    for mode, (share, more) in _SHARES.items():
        least = _above(made, together[~sensitive], share)
        alone = np.array([_alone(encoder, one, rows, made, least) for one, rows in zip(read, logits, strict=True)])
        free = ~sensitive & (np.array([made.probability(score) for score in together]) < least)
        needed = _above(made, alone[free], more)
        made = msgspec.structs.replace(made, **{mode: least, f"{mode}_alone": max(least, needed)})
    return made


def _alone(encoder: Encoder, read: Sequence[Any], logits: Sequence[Any], made: Calibration, least: float) -> float:
    """Return the worst score of a text's windows that are read without their neighbours."""
    again = [passage.alone(window) for passage, rows in zip(read, logits, strict=True)
             for window in doubtful_windows(passage, rows, made, least)]  # fmt: skip
    return max((float(outweighs(rows)[0]) for rows in encoder.logits(again)), default=_NOTHING) if again else _NOTHING


def _above(made: Calibration, scores: Any, share: float) -> float:
    """Return the probability that this share of scores is above."""
    return round(made.probability(float(np.quantile(scores, 1 - share))), 4)


def _platt(scores: Any, sensitive: Any) -> tuple[float, float]:
    """Fit a logistic curve by Newton's method. Platt, "Probabilistic outputs for support vector machines" (1999)."""
    positive, negative = sensitive.sum(), (~sensitive).sum()
    wanted = np.where(sensitive, (positive + 1) / (positive + 2), 1 / (negative + 2))
    inputs = np.stack([scores, np.ones_like(scores)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (likely - wanted)
        curve = inputs.T @ (inputs * (likely * (1 - likely))[:, None]) + 1e-6 * np.eye(2)
        weights -= np.linalg.solve(curve, slope)
    return round(float(weights[0]), 4), round(float(weights[1]), 4)
