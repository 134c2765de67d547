"""Read the log-probabilities that other servers send beside their text. Pure."""

from math import nan
from typing import Any

from gateway.core.delta import TokenLogprob


def read_logprobs(given: Any) -> tuple[TokenLogprob, ...]:
    """Return the log-probabilities of a chunk; unreadable ones count as none."""
    if not isinstance(given, dict):
        return ()
    try:
        if "content" in given:
            return tuple([_token(one) for one in given["content"] or ()])
        return _text_logprobs(given)
    except (TypeError, KeyError, ValueError, AttributeError, IndexError):
        return ()


def _token(one: dict[str, Any]) -> TokenLogprob:
    return TokenLogprob(
        token=one["token"],
        logprob=float(one["logprob"]),
        raw=_raw(one),
        top=tuple([(top["token"], float(top["logprob"]), _raw(top)) for top in one.get("top_logprobs") or ()]),
    )


def _raw(one: dict[str, Any]) -> bytes:
    raw = one.get("bytes")
    return bytes(raw) if isinstance(raw, list) else str(one["token"]).encode()


def _text_logprobs(given: dict[str, Any]) -> tuple[TokenLogprob, ...]:
    """Read the older form of log-probabilities, that of text completions: parallel arrays."""
    tops = given.get("top_logprobs") or []
    tokens: list[TokenLogprob] = []
    for place, (token, logprob) in enumerate(zip(given["tokens"], given["token_logprobs"], strict=False)):
        top = tops[place] if place < len(tops) else None
        tokens.append(
            TokenLogprob(
                token=token,
                logprob=nan if logprob is None else float(logprob),
                raw=token.encode(),
                top=tuple([(word, float(value), word.encode()) for word, value in (top or {}).items()]),
            )
        )
    return tuple(tokens)
