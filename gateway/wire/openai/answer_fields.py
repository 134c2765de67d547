"""Encode what several OpenAI answers share: usage, log-probabilities, errors, frames of server-sent events. Pure."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from gateway.core.delta import TokenLogprob, UsageReport
from gateway.core.document import JsonObject, thaw
from gateway.core.errors import AduanaError
from gateway.core.target import Api
from gateway.core.usage import Usage
from gateway.wire.decided import decision_fields
from gateway.wire.encoding import encode_json, finite

DONE = b"data: [DONE]\n\n"


def told_usage(report: UsageReport) -> dict[str, Any]:
    """Return the `usage` object of chat and text completions, with what a server of this API told beside the counts."""
    fields = usage_fields(report.usage)
    if not report.told or report.api is not Api.CHAT:
        return fields
    for name, value in report.told.items():
        known = fields.get(name)
        if isinstance(known, dict):
            fields[name] = known | (thawed(value) if isinstance(value, Mapping) else {})
        else:
            fields.setdefault(name, thaw(value))
    return fields


def thawed(fields: JsonObject) -> dict[str, Any]:
    """Return fields as plain containers."""
    return {name: thaw(value) for name, value in fields.items()}


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Return the `usage` object of chat and text completions."""
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": usage.input_cached,
            "audio_tokens": usage.input_audio,
            "cache_write_tokens": usage.input_written,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.output_audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat_logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any] | None:
    """Return the `logprobs` object of a chat choice; None if there are none."""
    if not tokens:
        return None
    return {"content": [_token(one) for one in tokens], "refusal": None}


def _token(one: TokenLogprob) -> dict[str, Any]:
    return {
        "token": one.token,
        "logprob": finite(one.logprob),
        "bytes": list(one.raw),
        "top_logprobs": [
            {"token": token, "logprob": finite(logprob), "bytes": list(raw)} for token, logprob, raw in one.top
        ],
    }


class TextLogprobs:
    """Log-probabilities of one text-completion choice; offsets count characters from the choice's beginning.

    A token that nothing stood before, the first one of a prompt, has null.
    """

    def __init__(self) -> None:
        self._offset = 0

    def take(self, tokens: Sequence[TokenLogprob]) -> dict[str, list[Any]] | None:
        """Return the `logprobs` object for the next tokens; None if there are none."""
        if not tokens:
            return None
        offsets: list[int] = []
        for one in tokens:
            offsets.append(self._offset)
            self._offset += len(one.token)
        return {
            "tokens": [one.token for one in tokens],
            "token_logprobs": [None if isnan(one.logprob) else finite(one.logprob) for one in tokens],
            "top_logprobs": [
                None if isnan(one.logprob) else {token: finite(logprob) for token, logprob, _ in one.top}
                for one in tokens
            ],
            "text_offset": offsets,
        }


def error_fields(error: AduanaError) -> dict[str, Any]:
    """Return the error object, with all four keys, and what was decided about the request."""
    own = {"message": error.message, "type": error.kind, "param": error.param, "code": error.code}
    return {"error": own | decision_fields(error)}


def error_body(error: AduanaError) -> bytes:
    """Encode the body of an error answer."""
    return encode_json(error_fields(error))


def named_event(fields: Mapping[str, Any]) -> bytes:
    """Encode an event that is named by its `type`."""
    return b"event: " + str(fields["type"]).encode() + b"\ndata: " + encode_json(fields) + b"\n\n"


def error_event(error: AduanaError) -> bytes:
    """Encode an error inside a running stream of named events."""
    return named_event({"type": "error", **error_fields(error)})


def error_frame(error: AduanaError) -> bytes:
    """Encode an error inside a running stream. No `[DONE]` follows: the answer did not end well."""
    return b"data: " + error_body(error) + b"\n\n"
