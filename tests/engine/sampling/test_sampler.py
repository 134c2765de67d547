"""Sampling tokens: the fast path samples what the full chain would."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engine.messages import SamplingSpec
from gateway.engine.sampling.sampler import Sampler, log_of

VOCABULARY = 2000


def logits_of(seed: int, spread: float) -> np.ndarray:
    """Logits with a few high tokens, as models have them."""
    rng = np.random.default_rng(seed)
    logits = (rng.standard_normal(VOCABULARY) * spread).astype(np.float32)
    logits[rng.integers(VOCABULARY, size=5)] += 6
    return logits


def permitted(logits: np.ndarray, spec: SamplingSpec) -> set[int]:
    """The tokens that top-k, top-p and min-p leave, by sorting everything."""
    order = np.argsort(-logits, kind="stable")
    if spec.top_k:
        order = order[: spec.top_k]
    weights = np.exp((logits[order] - logits[order[0]]).astype(np.float64))
    shares = weights / weights.sum()
    if spec.top_p < 1:
        order = order[: int(np.searchsorted(np.cumsum(shares), spec.top_p)) + 1]
    if spec.min_p:
        floor = logits[order[0]] + math.log(spec.min_p)
        order = np.array([token for token in order if logits[token] >= floor])
    return set(order.tolist())


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10**6),
    st.floats(0.1, 6),
    st.sampled_from([0, 1, 5, 40, 5000]),
    st.sampled_from([0.3, 0.95, 1.0]),
    st.sampled_from([0.0, 0.05, 0.5]),
)
def test_only_permitted_tokens_are_sampled(seed: int, spread: float, top_k: int, top_p: float, min_p: float) -> None:
    """The prefilter keeps every token that the full chain keeps, and no other."""
    logits = logits_of(seed, spread)
    spec = SamplingSpec(temperature=5.0, top_k=top_k, top_p=top_p, min_p=min_p, seed=seed)
    sampler = Sampler(spec, [])
    drawn = {sampler.choose(logits) for _ in range(30)}
    slack = permitted(logits, roomier(spec, top_p=min(1.0, top_p + 1e-4), min_p=min_p * 0.9999))
    assert drawn <= slack


def roomier(spec: SamplingSpec, **changes: float) -> SamplingSpec:
    """The spec with a hair's breadth more room, for rounding."""
    return msgspec.structs.replace(spec, **changes)


def test_frequencies_follow_the_probabilities() -> None:
    """In 20,000 samples at temperature 1, three tokens come as often as their probabilities say."""
    logits = np.full(VOCABULARY, -50, np.float32)
    logits[[7, 8, 9]] = np.log([0.5, 0.3, 0.2])
    sampler = Sampler(SamplingSpec(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=1), [])
    counts = np.bincount([sampler.choose(logits) for _ in range(20_000)], minlength=VOCABULARY)
    assert counts[[7, 8, 9]] / 20_000 == pytest.approx([0.5, 0.3, 0.2], abs=0.02)


def test_a_seed_repeats_its_samples() -> None:
    """Equal seeds give equal tokens, others do not."""
    logits = logits_of(3, 2.0)

    def draws(seed: int) -> list[int]:
        sampler = Sampler(SamplingSpec(temperature=1.5, seed=seed), [])
        return [sampler.choose(logits) for _ in range(20)]

    assert draws(5) == draws(5)
    assert draws(5) != draws(6)


def test_temperature_zero_takes_the_likeliest() -> None:
    """Temperature 0 takes the token with the highest logit."""
    logits = logits_of(4, 1.0)
    assert Sampler(SamplingSpec(temperature=0), []).choose(logits) == int(logits.argmax())


@pytest.mark.parametrize(
    ("spec", "prompt", "expected"),
    [
        (SamplingSpec(temperature=0, logit_bias=((3, -100.0),)), [], 4),
        (SamplingSpec(temperature=0, logit_bias=((9, 100.0),)), [], 9),
        (SamplingSpec(temperature=0, logit_bias=((3, -math.inf),)), [], 4),
        (SamplingSpec(temperature=0, repeat_penalty=3.0), [3], 4),
        (SamplingSpec(temperature=0, repeat_penalty=3.0), [3] + [1] * 64, 3),
        (SamplingSpec(temperature=0, ignore_eos=True), [], 4),
    ],
)
def test_what_changes_the_logits(spec: SamplingSpec, prompt: list[int], expected: int) -> None:
    """Biases, penalties and banned end tokens count, also where they move the likeliest token."""
    logits = np.zeros(10, np.float32)
    logits[3], logits[4] = 5.0, 4.0
    assert Sampler(spec, prompt, banned=(3,)).choose(logits) == expected
    assert logits[3] == 5.0


def test_penalties_count_what_was_generated() -> None:
    """The frequency penalty grows with each use of a token, the presence penalty does not."""
    logits = np.zeros(10, np.float32)
    logits[3], logits[4] = 5.0, 4.0
    sampler = Sampler(SamplingSpec(temperature=0, frequency_penalty=0.4), [])
    assert [sampler.choose(logits) for _ in range(6)] == [3, 3, 3, 4, 3, 4]
    sampler = Sampler(SamplingSpec(temperature=0, presence_penalty=1.5), [])
    assert [sampler.choose(logits) for _ in range(3)] == [3, 4, 3]


def test_a_mask_leaves_only_what_it_allows() -> None:
    """With a mask, as grammars give it, only the tokens that it allows are sampled."""
    logits = logits_of(5, 3.0)
    allowed = np.zeros(VOCABULARY, np.bool_)
    allowed[[11, 12]] = True
    sampler = Sampler(SamplingSpec(temperature=1.0, seed=1), [])
    assert {sampler.choose(logits, allowed=allowed) for _ in range(50)} <= {11, 12}


def test_log_probabilities_are_those_of_a_softmax() -> None:
    """Log-probabilities of the chosen token and of the likeliest ones, falling, are those of a softmax."""
    logits = logits_of(6, 2.0)
    exact = logits.astype(np.float64) - np.log(np.exp(logits.astype(np.float64)).sum())
    log = log_of(logits, 100, 3)
    assert log.logprob == pytest.approx(exact[100], abs=1e-4)
    best = np.argsort(-logits)[:3]
    assert [token for token, _ in log.top] == best.tolist()
    assert [value for _, value in log.top] == pytest.approx(exact[best].tolist(), abs=1e-4)
    assert log_of(logits, 100, 0).top == ()
